#!/usr/bin/env bash
# Fuzzes each target (or those named) for FUZZ_SECONDS, starting from its committed corpus; new inputs go to
# build-fuzz/work/NAME. Prints one line per target; a crash is a failure and its input is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-600}
CC=clang cmake -S . -B build-fuzz -G Ninja -DBEZ_FUZZ=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C build-fuzz --quiet
failed=0
for source in fuzz/fuzz_*.c; do
  name=$(basename "$source" .c); name=${name#fuzz_}
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  work=build-fuzz/work/$name
  mkdir -p "$work"
  if "build-fuzz/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=25 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/work/$name-" "$work" "fuzz/corpus/$name" >"build-fuzz/work/$name.log" 2>&1; then
    echo "fuzz $name: clean, $(grep -a number_of_executed_units "build-fuzz/work/$name.log" | tr -dc 0-9) inputs in ${seconds}s"
  else
    echo "fuzz $name: FAILED, see build-fuzz/work/$name.log"
    failed=1
  fi
done
exit $failed
