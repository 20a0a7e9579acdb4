#!/usr/bin/env bash
# Builds the Python package in a build folder and makes it importable from the test environment (build/venv), without
# installing it: the package's files are links to the sources. Usage: python_env.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
cmake -S . -B "$build" -DBEZ_PYTHON_EXTENSION=ON >/dev/null
ninja -C "$build" --quiet
packages=$(build/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$PWD/$build/python" >"$packages/bezoar-build.pth"
