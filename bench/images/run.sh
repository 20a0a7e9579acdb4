#!/usr/bin/env bash
# The truth and speed tables of pictures, embeddings and corpora: makes its own virtual environments, then runs. Arguments go to
# images.py; PEERS=0 leaves the peers out. --speed makes the speed table instead, its further arguments go to speed.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/venv.sh
venv images numpy pillow scikit-learn
python=build/venv-images/bin/python
case " $* " in
*" --speed "*)
  shift
  $python bench/images/speed.py "$@"
  exec $python bench/images/images.py --page
  ;;
*" --quick "* | *" --cells"* | *" --sections"* | *" --page "* | *" --list "*) ;;
*)
  if [ "${PEERS:-1}" = 1 ]; then
    venv art adversarial-robustness-toolbox packaging scikit-learn numpy || echo "ART could not be installed: its rows stay empty"
    venv cleanlab "cleanlab[datalab]" || echo "cleanlab could not be installed: its rows stay empty"
    $python bench/images/peers.py
  fi
  ;;
esac
exec $python bench/images/images.py "$@"
