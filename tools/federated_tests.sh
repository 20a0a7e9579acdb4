#!/usr/bin/env bash
# Tests of the adapters against the real packages, each release in an environment of its own below build/. A release that
# cannot be installed (no network) is said; run_tests.sh counts it as skipped. Names: flower-oldest, flower, nvflare (all three
# when none is given) and nvflare-simulator, for nightly runs. Usage: federated_tests.sh BUILD [NAME …]
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
tests=tests/python/federated
export FLWR_TELEMETRY_ENABLED=0 RAY_USAGE_STATS_ENABLED=0

ready() { # name, packages …: the environment, made anew when the packages are others
  local name=$1 venv=build/venv-$1 && shift
  if [ "$(cat "$venv/ready" 2>/dev/null)" != "$*" ]; then
    echo "installing into $venv: $*"
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check "$@" || {
      echo "SKIP: tests of bezoar with $name: cannot install $* (is there a network?)"
      return 1
    }
    echo "$*" >"$venv/ready"
  fi
  echo "$PWD/$build/python" >"$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/bezoar-build.pth"
}

[ $# -gt 0 ] || set -- flower-oldest flower nvflare
for one in "$@"; do
  what=$tests
  case "$one" in
    flower-oldest) packages="flwr==1.22.0 numpy<2 pytest" ;;
    flower) packages="flwr[simulation]==1.41.0 numpy scikit-learn matplotlib pytest" ;;
    nvflare) packages="nvflare==2.9.0 numpy pytest" ;;
    nvflare-simulator) one=nvflare packages="nvflare==2.9.0 numpy pytest" what=$tests/nightly_nvflare.py ;;
    *) echo "federated_tests.sh: unknown environment '$one'" >&2; exit 2 ;;
  esac
  # shellcheck disable=SC2086  # a list of words on purpose
  ready "$one" $packages || continue
  echo "bezoar with ${packages%% *}"
  "build/venv-$one/bin/python" -m pytest -q -rs --no-header -W ignore::DeprecationWarning "$what"
done
