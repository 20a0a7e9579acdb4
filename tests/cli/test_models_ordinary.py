"""bezoar scan on ordinary models of the real libraries: no error, and few warnings. A share of them is made with the libraries
of the tests' own environment and of Debian's python3-torch; BEZOAR_ORDINARY_PYTHON names an interpreter that has all
(`make nightly`)."""
import json
import os
import subprocess
import sys

import ordinary_models
import pytest

from conftest import ROOT

SCRIPT = ROOT / "tests" / "cli" / "ordinary_models.py"
ALL = os.environ.get("BEZOAR_ORDINARY_PYTHON")
PYTHONS = {"here": ALL or sys.executable, "Debian": "/usr/bin/python3"}
MADE_BY = {"Debian": ["torch_files"]}


def make(python, folder):
    names = MADE_BY.get(python) or [f.__name__ for f, _ in ordinary_models.MAKERS if f.__name__ not in MADE_BY["Debian"]]
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([PYTHONS[python], "-W", "ignore", SCRIPT, folder, *names], capture_output=True, text=True, env=env, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("python", PYTHONS)
def test_ordinary_models_pass(bezoar, tmp_path, python):
    made = make(python, tmp_path / "models")
    if not made:
        pytest.skip(f"none of the libraries are there for {PYTHONS[python]}")
    warned = []
    for name in made:
        folder = tmp_path / "models" / name
        paths = sorted(folder.iterdir()) if name == "folders" else [folder]
        result = bezoar("scan", *paths, "--format", "json")
        report = json.loads(result.stdout)
        loud = [f for f in report["findings"] if f["severity"] in ("error", "warning")]
        assert not [f["title"] for f in loud if f["severity"] == "error"], name
        assert result.returncode == 0, (name, [u for u in report["not_checked"] if u["requested"]])
        warned += [f["title"] for f in loud]
    print(made, *warned, sep="\n")
    assert len(warned) <= 0.05 * sum(made.values()), warned
    assert not ALL or python == "Debian" or sum(made.values()) >= 500
