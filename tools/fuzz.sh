#!/usr/bin/env bash
# Fuzzes each target (or those named) for FUZZ_SECONDS of CPU time, however busy the machine, starting from its
# committed corpus; new inputs go to build-fuzz/work/NAME. Prints one line per target; a crash is a failure and its
# input is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-600}
CC=clang cmake -S . -B build-fuzz -G Ninja -DBEZ_FUZZ=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
ninja -C build-fuzz --quiet
failed=0
TIMEFORMAT='%U %S'

# One run of a target over so many seconds of wall clock; prints the CPU seconds it took.
fuzz_once() { # name, seconds
  local work=build-fuzz/work/$1
  { time "build-fuzz/fuzz_$1" -max_total_time="$2" -rss_limit_mb=4096 -timeout=25 -print_final_stats=1 \
    -artifact_prefix="$work-" "$work" "fuzz/corpus/$1" >>"$work.log" 2>&1; } 2>&1 | awk '{print $1 + $2}'
  return "${PIPESTATUS[0]}"
}

for source in fuzz/fuzz_*.c; do
  name=$(basename "$source" .c); name=${name#fuzz_}
  [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
  mkdir -p "build-fuzz/work/$name"
  : >"build-fuzz/work/$name.log"
  spent=0 clean=1
  while awk "BEGIN { exit !($spent < $seconds) }"; do
    if ! cpu=$(fuzz_once "$name" "$(awk "BEGIN { print int($seconds - $spent) + 1 }")"); then
      echo "fuzz $name: FAILED, see build-fuzz/work/$name.log"
      failed=1 clean=0
      break
    fi
    spent=$(awk "BEGIN { print $spent + $cpu }")
  done
  inputs=$(grep -a number_of_executed_units "build-fuzz/work/$name.log" | awk '{n += $NF} END {print n + 0}')
  [ "$clean" = 0 ] || echo "fuzz $name: clean, $inputs inputs in $spent CPU s"
done
exit $failed
