#!/usr/bin/env bash
# One data set of a hundred million rows in bounded memory: a nightly target. Makes the rows (3.05 GB, the same every time),
# adds and commits them, asks for one row, its proof and the whole again, and prints what each took. "resident" counts the
# pages of packs that are mapped, too, which the kernel may take back: anonymous memory is what --memory bounds.
#
#   bench/vault/hundred_million.sh [ROWS] [FOLDER]        # 20 GB of disk in FOLDER (a temporary one below $TMPDIR)
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=${1:-100000000}
folder=${2:-$(mktemp -d)}
bezoar=${BEZOAR_BIN:-$PWD/build/bezoar}
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/data" "$folder/home"
export BEZOAR_HOME=$folder/home

# A step: its name, then the command; wall clock, processor time, resident memory.
step() {
  local name=$1
  shift
  command time -f "%e %U %S %M" -o "$folder/time" "$@" >"$folder/out"
  awk -v name="$name" '{ printf "| %s | %.1f s | %.1f s | %.0f MiB |\n", name, $1, $2 + $3, $4 / 1024 }' "$folder/time"
}

# A multiplicative congruential generator (Lehmer; Park and Miller, 1988), exact in doubles.
make_rows() {
  awk -v rows="$1" 'BEGIN {
    print "id,user,amount,label"
    for (i = 1; i <= rows; i++) {
      x = (i * 48271) % 2147483647; y = (x * 16807) % 2147483647
      printf "%d,u%07d,%.2f,%s\n", i, x % 10000000, y / 100000, y % 7 ? "ham" : "spam"
    }
  }' >"$2"
}

bytes() { du -sb "$@" | awk '{ n += $1 } END { printf "%.2f GB", n / 1e9 }'; }

make_rows "$rows" "$folder/data/rows.csv"
cd "$folder/data"
"$bezoar" vault init >/dev/null
"$bezoar" vault source add synthetic --uri https://example.org --publisher nobody --licence CC0-1.0 >/dev/null
echo "$rows rows, $(bytes rows.csv), $(nproc) processors"
echo
echo "| step | wall clock | processors | resident |"
echo "|---|---|---|---|"
step "add and commit" "$bezoar" vault add rows.csv --source synthetic -m "a hundred million" --progress none
step "status" "$bezoar" vault status
step "blame of one row" "$bezoar" vault blame rows.csv "$((rows / 2))"
step "inclusion proof of one row" "$bezoar" vault prove rows.csv "$((rows / 2))" -o "$folder/proof"
sed "$((rows / 2 + 1))s/ham\|spam/changed/" rows.csv >"$folder/changed.csv"
mv "$folder/changed.csv" rows.csv
step "one row changed: add and commit" "$bezoar" vault add rows.csv --source synthetic -m "one changed" --progress none
step "diff of the two" "$bezoar" vault diff rows.csv@1 rows.csv@2
step "verify --full" "$bezoar" vault verify --full
echo
echo "objects $(bytes .bezoar/objects), index $(bytes .bezoar/index), proof $(stat -c %s "$folder/proof") bytes"
