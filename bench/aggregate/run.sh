#!/usr/bin/env bash
# The speed table of aggregation, docs/benchmarks/aggregate.md: every row of it, then the other packages on the same numbers, in one run.
#
#   bench/aggregate/run.sh                 # everything: about a quarter of an hour; wants a quiet machine, 12 GB of memory, 5 GB of disk
#   PEERS=0 bench/aggregate/run.sh         # keeps the peers' figures of the last run
#   bench/aggregate/run.sh --page          # the page alone, from the last figures
#   SIZE=0.01 bench/aggregate/run.sh       # a trial; prints, and leaves the page as it is
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/venv.sh
folder=build/bench-aggregate size=${SIZE:-1}
mkdir -p "$folder"

bench() {
  ninja -C build --quiet bench_aggregate
  build/bench_aggregate --json "$folder/bench.json" --size "$size" --folder "$folder"
}

# ByzFL asks for PyPI's torch, which brings gigabytes of CUDA. Its aggregators run on Debian's, which wants NumPy 1.
byzfl_venv() {
  local at=build/venv-byzfl
  [ -f $at/ready ] && return
  /usr/bin/python3 -c 'import torch' 2>/dev/null || { echo "no torch (Debian: python3-torch)"; return 1; }
  echo "installing into $at: byzfl on Debian's torch"
  /usr/bin/python3 -m venv --system-site-packages $at
  $at/bin/pip install -q 'numpy>=1.26.4,<2' 'scipy>=1.12,<1.14' && $at/bin/pip install -q --no-deps byzfl && touch $at/ready
}

peers() {
  venv aggregate numpy
  venv flwr flwr || echo "flwr could not be installed: its rows stay empty"
  byzfl_venv || echo "byzfl could not be installed: its rows stay empty"
  build/venv-aggregate/bin/python bench/aggregate/peers.py "$folder/peers.json" --size "$size" --limit "${LIMIT:-60}"
}

if [ "${1:-}" != --page ]; then
  bench
  [ "${PEERS:-1}" = 0 ] || peers
fi
if [ "$size" = 1 ]; then python3 bench/aggregate/page.py "$folder/bench.json" "$folder/peers.json"; fi
