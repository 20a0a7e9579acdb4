"""bezoar.aggregate with torch tensors, in Debian's interpreter and with Debian's torch: the extension is one binary for
every CPython from 3.11 on."""
import ast
import json
import os
import pathlib
import subprocess

import pytest

import bezoar

INTERPRETER = "/usr/bin/python3"
PACKAGE = pathlib.Path(bezoar.__file__).parent
SCRIPT = pathlib.Path(__file__).with_name("torch_checks.py")


def check_names():
    """Of the script's list CHECKS; the script itself needs torch."""
    for node in ast.parse(SCRIPT.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "CHECKS":
            return [item.id for item in node.value.elts]
    raise LookupError("CHECKS")


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What every check said. The package is linked into a folder of its own, so that NumPy is the interpreter's."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "bezoar").symlink_to(PACKAGE)
    env = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if not os.path.exists(INTERPRETER):
        pytest.skip(f"{INTERPRETER} is not there")
    if subprocess.run([INTERPRETER, "-c", "import torch"], env=env, capture_output=True).returncode != 0:
        pytest.skip(f"{INTERPRETER} has no torch (Debian: python3-torch)")
    run = subprocess.run([INTERPRETER, str(SCRIPT)], env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("check", check_names())
def test_torch(said, check):
    assert said[check] == "", said[check]
