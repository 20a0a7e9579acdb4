#!/usr/bin/env bash
# Installs what is missing on Debian 12 and says what it installs. Usage: bootstrap.sh [build|check|lint] …
set -euo pipefail
cd "$(dirname "$0")/.."

build="gcc make cmake ninja-build pkg-config libssl-dev libjansson-dev libyaml-dev libzstd-dev zlib1g-dev libseccomp-dev libpng-dev libjpeg-dev libwebp-dev libarchive-dev libsqlite3-dev libcurl4-openssl-dev"
check="libcmocka-dev openssl openssh-client python3 python3-venv python3-dev python3-torch zstd man-db"
lint="clang clang-format clang-tidy libclang-rt-14-dev shellcheck"
python="pytest hypothesis jsonschema numpy pandas pyarrow scikit-learn build scikit-build-core"
# What others write and check models with: the tests compare notes with them.
models="gguf safetensors onnx h5py jinja2 model-signing pyopenssl sigstore securesystemslib[crypto] cyclonedx-python-lib[validation] in-toto-attestation"

want=""
for group in "${@:-build}"; do
  case "$group" in
    build) want="$want $build" ;;
    check) want="$want $check" ;;
    lint) want="$want $lint" ;;
    *) echo "bootstrap.sh: unknown group '$group' (build, check, lint)" >&2; exit 2 ;;
  esac
done

missing=""
for package in $want; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "bootstrap: installing Debian packages:$missing"
  root=""
  [ "$(id -u)" = 0 ] || root="sudo"
  $root apt-get update -q
  # shellcheck disable=SC2086  # a list of words on purpose
  DEBIAN_FRONTEND=noninteractive $root apt-get install -q -y --no-install-recommends $missing
fi

# Tests in Python get an environment of their own, so that nothing of the user's is touched.
case " $* " in
  *" check "*)
    venv=build/venv
    if ! "$venv/bin/python" -c 'import pytest, hypothesis, jsonschema, numpy, pandas, pyarrow, sklearn, build, scikit_build_core
import gguf, safetensors, onnx, h5py, jinja2, model_signing, sigstore, securesystemslib, cyclonedx.validation, in_toto_attestation' 2>/dev/null; then
      echo "bootstrap: installing Python packages into $venv: $python $models"
      mkdir -p build
      /usr/bin/python3 -m venv "$venv"
      # shellcheck disable=SC2086
      "$venv/bin/pip" install -q --disable-pip-version-check $python $models
    fi
    ;;
esac
