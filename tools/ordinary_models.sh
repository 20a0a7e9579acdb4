#!/usr/bin/env bash
# Scans some 700 ordinary models made by every library that the tests know (tests/cli/test_models_ordinary.py); the libraries
# go into an environment of their own. Usage: ordinary_models.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."
. bench/venv.sh
venv ordinary numpy pandas scikit-learn joblib onnx skl2onnx safetensors gguf xgboost-cpu lightgbm tensorflow-cpu keras h5py
BEZOAR_ORDINARY_PYTHON=$PWD/build/venv-ordinary/bin/python BEZOAR_BIN=$PWD/$1/bezoar \
  build/venv/bin/python -m pytest -q tests/cli/test_models_ordinary.py
# What only these libraries can write.
build/venv-ordinary/bin/pip install -q --disable-pip-version-check pytest
BEZOAR_NIGHTLY=1 BEZOAR_BIN=$PWD/$1/bezoar build/venv-ordinary/bin/python -m pytest -q -m nightly tests/cli/test_models_graphs.py
