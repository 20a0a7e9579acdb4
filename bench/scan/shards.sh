#!/usr/bin/env bash
# What shards cost: CPU seconds (user + system) of one process beside those of N shards, merge and the scan --with.
#   bench/scan/shards.sh FILE [SHARDS [ROUNDS]]
# The two take turns, so that other work on the machine meets both; the reports must be the same.
set -euo pipefail
bezoar=${BEZOAR_BIN:-build/bezoar} file=$1 shards=${2:-2} rounds=${3:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

cpu() { # a command; prints its CPU seconds, leaves its exit code aside (1: findings)
  { time "$@" >/dev/null 2>&1 || [ $? = 1 ] || [ $? = 3 ]; } 2>&1 | awk '{print $1 + $2}'
}

plain() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); r.pop("run"); print(json.dumps(r, sort_keys=True))' "$1"; }

for _ in $(seq "$rounds"); do
  one=$(cpu "$bezoar" scan "$file" --threads 2 --report "$work/one.json")
  cut=0
  for i in $(seq "$shards"); do
    cut=$(awk "BEGIN {print $cut + $(cpu "$bezoar" scan "$file" --threads 2 --shard "$i/$shards" --save "$work/$i.bez")}")
  done
  merge=$(cpu "$bezoar" merge "$work"/[0-9]*.bez -o "$work/all.bez")
  with=$(cpu "$bezoar" scan --with "$work/all.bez" --threads 2 --report "$work/many.json")
  cmp <(plain "$work/one.json") <(plain "$work/many.json")
  awk -v o="$one" -v c="$cut" -v m="$merge" -v w="$with" -v n="$shards" 'BEGIN {
    printf "one process %.2f CPU s; %d shards %.2f + merge %.2f + scan %.2f = %.2f; ratio %.3f\n",
           o, n, c, m, w, c + m + w, (c + m + w) / o }'
done
