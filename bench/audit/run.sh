#!/usr/bin/env bash
# The speed of scanning models, docs/benchmarks/audit.md: 10 GB files beside SHA-256, 10,000 small pickles beside
# picklescan and modelscan, bombs.
#
#   bench/audit/run.sh                     # everything: 10 GB of disk; wants a quiet machine
#   bench/audit/run.sh --gigabytes 1       # small
#   bench/audit/run.sh --only small        # some stages; the others keep the figures of their last run
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/venv.sh
venv audit-small numpy scikit-learn
venv picklescan picklescan
venv modelscan modelscan
mkdir -p docs/benchmarks
exec python3 bench/audit/speed.py "$@"
