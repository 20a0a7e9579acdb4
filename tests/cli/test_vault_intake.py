"""Scan before ingest: what the policy's scan finds does not get in, and what gets in has its signed report."""
import hashlib
import json
import random
import subprocess

import pytest

from conftest import BINARY, SHARED, clean_environment, table_text
from vault_helper import Vault

POLICY = "require_scan: true\nscan_rules: [BZ-D001, BZ-D003]\n"


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path)
    vault.contributor("alice")
    vault.source("web")
    vault.run("policy", "set", vault.write("policy.yaml", POLICY))
    return vault


def add(vault, path, *more):
    return ["add", path, "--source", "web", "--key", "alice", "--label", "label", *more]


def objects(vault):
    return sorted(path for path in (vault.folder / "objects").rglob("*"))


def test_clean_data_enter_with_their_report(vault):
    vault.write("train.csv", table_text(rows=600, seed=7))
    answer = vault.json(*add(vault, "train.csv"))
    assert answer["scan"]["fail_on"] == "error"
    vault.run("commit", "-m", "scanned", "--key", "alice")
    report = vault.json("report", "train.csv@1")
    assert not [f for f in report["findings"] if f["severity"] == "error"]
    entry = next(e for e in vault.log() if e["type"] == "submission")["entry"]
    raw = vault.run("report", "train.csv@1", "--json").stdout
    assert hashlib.sha256(raw.rstrip("\n").encode()).hexdigest() == entry["report"] \
        or hashlib.sha256(raw.encode()).hexdigest() == entry["report"]
    path = vault.write("report.json", raw)
    assert vault.call("report", "show", path).returncode == 0


def test_poisoned_data_are_refused(vault):
    vault.write("train.csv", table_text(rows=600, seed=7, planted=40))
    before = objects(vault)
    result = vault.run(*add(vault, "train.csv"), code=1)
    assert "refused: the scan that the policy demands has" in result.stderr and "BZ-D001" in result.stderr
    last = vault.log()[-1]
    assert last["type"] == "refused" and "BZ-D001" in last["entry"]["reason"] and last["entry"]["dataset"] == "train.csv"
    assert objects(vault) == before
    assert vault.json("status")["datasets"] == []
    # other rules: nothing to find; no policy: nothing to be asked
    vault.run("policy", "set", vault.write("policy.yaml", "require_scan: true\nscan_rules: [BZ-D003]\n"))
    vault.run(*add(vault, "train.csv"))
    vault.run("policy", "set", vault.write("policy.yaml", "require_scan: false\n"))
    assert vault.json(*add(vault, "train.csv"))["scan"] is None


def test_who_may_not_is_not_scanned(vault):
    vault.key("mallory")
    vault.write("train.csv", table_text(rows=600, seed=7, planted=40))
    result = vault.run("add", "train.csv", "--source", "web", "--key", "mallory", code=1)
    assert "unknown key" in result.stderr and "scan" not in result.stderr


def test_what_cannot_be_examined_is_refused(vault):
    vault.write("blob.bin", random.Random(3).randbytes(5000))
    result = vault.call("vault", "add", "blob.bin", "--source", "web", "--key", "alice")
    assert result.returncode in (1, 3)
    assert vault.json("status")["datasets"] == []


def test_no_way_around_it(vault):
    """What was staged before the policy came is not committed after it."""
    vault.run("policy", "set", vault.write("policy.yaml", "require_scan: false\n"))
    vault.write("train.csv", table_text(rows=600, seed=7))
    vault.run(*add(vault, "train.csv"))
    vault.run("policy", "set", vault.write("policy.yaml", POLICY))
    result = vault.run("commit", "-m", "x", "--key", "alice", code=1)
    assert "scan" in result.stderr
    assert "without a scan" not in result.stdout
    vault.run("policy", "set", vault.write("policy.yaml", "require_scan: false\n"))
    vault.run("commit", "-m", "x", "--key", "alice")
    assert "without a scan" in vault.run("report", "train.csv@1", code=2).stderr


def test_outputs_of_runs_are_scanned(vault):
    vault.write("in.txt", "nothing much\n")
    for planted, code in ((0, 0), (40, 1)):
        vault.write("made.csv", table_text(rows=600, seed=7, planted=planted))
        result = vault.run("run", "--out", "train.csv", "--use", "made.csv", "--source", "web", "--key", "alice", "--",
                           "cp", "made.csv", "train.csv", code=code)
    assert "refused: the scan" in result.stderr and "BZ-D001" in result.stderr
    assert [d["version"] for d in vault.json("status")["datasets"]] == [1]
    assert vault.json("report", "train.csv@1")["findings"] is not None


def test_policies_name_rules_that_exist(vault):
    before = vault.json("policy", "show")
    result = vault.run("policy", "set", vault.write("p.yaml", "scan_rules: [BZ-D001, BZ-D999]\n"), code=3)
    assert "no rule is called BZ-D999" in result.stderr
    assert vault.json("policy", "show") == before


def test_poisoned_adult(vault, tmp_path):
    """Real data, and poison as `bezoar poison` plants it."""
    adult = next(iter(sorted(SHARED.rglob("adult*.csv"))), None)
    if adult is None:
        pytest.skip(f"no adult.csv below {SHARED}")
    header = adult.open(encoding="utf-8").readline().strip().split(",")
    label = header[-1]
    clean = vault.write("adult.csv", adult.read_bytes())
    vault.run("policy", "set", vault.write("policy.yaml", "require_scan: true\n"))
    accepted = vault.call("vault", "add", "adult.csv", "--source", "web", "--key", "alice", "--label", label)
    poisoned = tmp_path / "poisoned.csv"
    done = subprocess.run([str(BINARY), "poison", str(clean), "--attack", "rare-combo", "--share", "0.01", "--label", label, "-o", str(poisoned),
                           "--answer-key", str(tmp_path / "key.json")],
                          capture_output=True, text=True, env=clean_environment(), check=False)
    assert done.returncode == 0, done.stderr
    vault.write("adult.csv", poisoned.read_bytes())
    result = vault.run("add", "adult.csv", "--source", "web", "--key", "alice", "--label", label, code=1)
    assert "refused: the scan" in result.stderr
    assert accepted.returncode == 0, accepted.stderr
