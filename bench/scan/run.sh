#!/usr/bin/env bash
# The speed table, docs/benchmarks/scan.md: reading beside its peers, whole scans, growth, text, threads, copies, single parts
# beside their peers.
#
#   bench/scan/run.sh                      # everything: 5 GB of disk, about half an hour; wants a quiet machine
#   bench/scan/run.sh --only text,columns  # some stages; the others keep the figures of their last run
#   bench/scan/run.sh --rows 1000000       # a tenth of the size; writes bench-out/scan/page-1000000.md
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/venv.sh
venv read pandas duckdb polars
venv cleanlab "cleanlab[datalab]" || echo "cleanlab could not be installed: its rows stay empty"
venv text-peers numpy datasketch || echo "datasketch could not be installed: its row stays empty"
mkdir -p docs/benchmarks
exec build/venv-read/bin/python bench/scan/whole.py "$@"
