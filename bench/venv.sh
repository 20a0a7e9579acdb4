# shellcheck shell=bash
# For the runners below: sourced in the root of the repository.
venv() { # name, packages …: made once, offline afterwards
  local name=$1 && shift
  [ -f "build/venv-$name/ready" ] && return
  echo "installing into build/venv-$name: $*"
  python3 -m venv "build/venv-$name"
  "build/venv-$name/bin/pip" install -q "$@" && touch "build/venv-$name/ready"
}
