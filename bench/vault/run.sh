#!/usr/bin/env bash
# The speed of the vault, docs/benchmarks/vault.md: commits, versions, diff, proofs and verification beside SHA-256, git,
# DVC, Oxen and git-annex (where Debian's package is installed), in one run.
#
#   bench/vault/run.sh                          # everything: 60 GB of disk, an hour; wants a quiet machine
#   bench/vault/run.sh --gigabytes .05 --pictures 2000 --reference .2 --rounds 1    # small
#   bench/vault/run.sh --only csv,pictures      # some stages; the others keep the figures of their last run
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/venv.sh
venv dvc dvc
venv oxen oxenai
mkdir -p docs/benchmarks
exec python3 bench/vault/speed.py "$@"
