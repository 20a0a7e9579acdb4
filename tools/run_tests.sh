#!/usr/bin/env bash
# Runs every test against one build folder. Where ../shared exists a skipped test is a failure: a test that everyone
# skips protects nobody. Usage: run_tests.sh BUILD [--no-python]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
python=yes
[ "${2:-}" = --no-python ] && python=no
venv=build/venv/bin
log=$build/tests.log
: >"$log"

ctest --test-dir "$build" --output-on-failure -j"$(nproc)"
cp "$build/Testing/Temporary/LastTest.log" "$log"

BEZOAR_BIN=$PWD/$build/bezoar "$venv/python" -m pytest -q -rs tests/cli 2>&1 | tee -a "$log"
if [ "$python" = yes ] && [ -d tests/python ]; then
  tools/python_env.sh "$build"
  "$venv/python" -m pytest -q -rs tests/python 2>&1 | tee -a "$log"
  tools/federated_tests.sh "$build" 2>&1 | tee -a "$log"
fi

if [ -d ../shared ] && grep -aE '^\[  SKIPPED \]|^SKIP:|^SKIPPED \[|[0-9]+ skipped' "$log"; then
  echo "run_tests: shared data is here, so no test may be skipped" >&2
  exit 1
fi
echo "all tests passed ($build)"
