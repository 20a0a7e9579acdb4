#!/usr/bin/env bash
# Brings the reference pages in docs/ up to date with the tables. Usage: gen_docs.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
"$1/bezoar" docs docs
echo "docs/ is current"
