#!/usr/bin/env bash
# Line and branch coverage of unit and command-line tests, as text and HTML in build-coverage/.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S . -B build-coverage -G Ninja -DBEZ_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug >/dev/null
ninja -C build-coverage --quiet
tools/run_tests.sh build-coverage --no-python
build/venv/bin/python -m gcovr --version >/dev/null 2>&1 || build/venv/bin/pip install -q --disable-pip-version-check gcovr
build/venv/bin/python -m gcovr -r . --filter src/ --object-directory build-coverage --txt build-coverage/coverage.txt \
  --html-details build-coverage/coverage.html --print-summary
