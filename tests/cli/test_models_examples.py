"""The example that `bezoar explain` and docs/commands/scan.md show for each check of models is what a scan says."""
import json

import pytest
from conftest import ROOT

from graph_files import hostile_keras
from model_corpus import call, hidden_entry


def pickle_code(folder):
    (folder / "model.pkl").write_bytes(call("posix", "system", "id"))


def pickle_unknown(folder):
    (folder / "model.pkl").write_bytes(call("mypackage.layers", "Attention", "x"))


def ambiguous_structure(folder):
    (folder / "model.pt").write_bytes(hidden_entry())


def named_code(folder):
    (folder / "model.keras").write_bytes(next(iter(hostile_keras().values()))[0])


def signature(folder):
    (folder / "model.sig").write_bytes((ROOT / "fuzz" / "corpus" / "bundle" / "key").read_bytes())
    (folder / "a").write_text("something else\n")
    (folder / "b").write_text("bb\n")


def known_digest(folder):
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    (folder / "known.txt").write_text("0" * 64 + "  model.safetensors\n")


# rule -> (what makes a folder with the example, the arguments of the scan in it)
SCENES = {
    "BZ-M001": (pickle_code, ["model.pkl"]),
    "BZ-M002": (pickle_unknown, ["model.pkl"]),
    "BZ-M003": (ambiguous_structure, ["model.pt"]),
    "BZ-M004": (named_code, ["model.keras"]),
    "BZ-M013": (signature, ["."]),
    "BZ-M014": (known_digest, ["model.safetensors", "--known", "known.txt"]),
}


def rules(bezoar):
    lines = bezoar("list", "checks").stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith("BZ-M")]


@pytest.mark.parametrize("rule", SCENES)
def test_example_is_what_a_scan_says(bezoar, tmp_path, rule):
    make, arguments = SCENES[rule]
    make(tmp_path)
    report = json.loads(bezoar("scan", *arguments, "--format", "json").stdout)
    titles = [f["title"] for f in report["findings"] if f["rule"] == rule]
    explained = " ".join(bezoar("explain", rule).stdout.split("For example\n")[1].split("\n\n")[0].split())
    assert explained in titles


def test_each_check_has_an_example(bezoar):
    assert set(rules(bezoar)) == set(SCENES)
