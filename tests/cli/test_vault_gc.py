"""What gc removes, what it keeps and why; pins; and what a version says whose data are gone."""
import pytest
from vault_helper import Vault


def table(rows, mark=""):
    return "name,score\n" + "".join(f"n{i},{i * 37 % 1000}{mark if i % 50 == 0 else ''}\n" for i in range(rows))


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    for version in range(4):
        made.add_commit("t.csv", table(2000, f"v{version}"))
    made.add_commit("other.csv", table(300))
    return made


def fates(answer, key):
    return {(v["dataset"], v["version"]): v.get("why", "") for v in answer[key]}


def test_nothing_goes_unless_asked_for(vault):
    dry = vault.json("gc", "--dry-run")
    assert dry["dry_run"] and not dry["pruned"] and dry["objects"] == 0
    kept = fates(dry, "kept")
    assert kept[("t.csv", 4)] == "the latest version" and "unless asked for" in kept[("t.csv", 1)]
    assert vault.json("gc")["pruned"] == [] and "entry" not in vault.json("gc")
    assert vault.checkout("t.csv@1") == table(2000, "v0").encode()


def test_old_versions_go_and_say_so(vault):
    vault.run("pin", "t.csv@2", "--reason", "a deployed model")
    model = vault.write("model.bin", b"weights")
    if vault.call("help", "vault", "model", "add").returncode == 0:
        vault.run("model", "add", model, "--trained-on", "t.csv@1")
    else:
        vault.run("pin", "t.csv@1", "--reason", "a model was trained on it")
    before = sum(p.stat().st_size for p in vault.folder.rglob("*.pack"))
    done = vault.json("gc", "--keep", 1)
    assert fates(done, "pruned").keys() == {("t.csv", 3)}
    kept = fates(done, "kept")
    assert "a deployed model" in kept[("t.csv", 2)] and "trained on it" in kept[("t.csv", 1)]
    assert done["objects"] > 0 and sum(p.stat().st_size for p in vault.folder.rglob("*.pack")) < before
    for version in (1, 2, 4):
        assert vault.checkout(f"t.csv@{version}", f"out{version}") == table(2000, f"v{version - 1}").encode()
    gone = vault.run("checkout", "t.csv@3", "-o", vault.base / "x", code=2)
    assert "pruned by gc at" in gone.stderr
    whole = vault.json("verify", "--full")
    assert whole["ok"] and whole["pruned"] == 1 and whole["versions"] == 4
    entry = [e for e in vault.log() if e["type"] == "gc"][-1]
    assert entry["by"] and entry["entry"]["kept"] == 4
    vault.add_commit("t.csv", table(2000, "v9"))  # the vault goes on
    assert vault.json("verify", "--full")["ok"]


def test_pins_can_be_taken_back(vault):
    vault.run("pin", "t.csv", "--reason", "legal hold")
    assert vault.json("gc", "--keep", 1)["pruned"] == []
    vault.run("unpin", "t.csv", "--reason", "over")
    vault.run("unpin", "t.csv", "--reason", "twice", code=2)
    vault.run("pin", "t.csv@1", code=2)  # without a reason
    assert fates(vault.json("gc", "--keep", 1), "pruned").keys() == {("t.csv", v) for v in (1, 2, 3)}


def test_age_decides_as_well(tmp_path):
    vault = Vault(tmp_path, epoch=1700000000)
    vault.source("web")
    for version in range(3):
        vault.add_commit("t.csv", table(100, f"v{version}"))
        vault.tick(3600)
    done = vault.json("gc", "--older-than", "2h30m")
    assert fates(done, "pruned").keys() == {("t.csv", 1)} and "not old enough" in fates(done, "kept")[("t.csv", 2)]


def test_what_is_staged_stays(vault):
    content = table(2000, "staged")
    vault.write("t.csv", content)
    vault.json("add", "t.csv", "--source", "web")
    vault.json("gc", "--keep", 1)
    vault.commit()
    assert vault.checkout("t.csv") == content.encode()
    assert vault.json("verify", "--full")["ok"]


def test_only_admins_collect(vault):
    vault.contributor("alice", sources=["web"])
    refused = vault.run("gc", "--key", "alice", code=1)
    assert "refused" in refused.stderr
    assert vault.checkout("t.csv@1") == table(2000, "v0").encode()


def test_many_small_packs_are_put_together(tmp_path):
    vault = Vault(tmp_path)
    vault.source("web")
    for version in range(36):
        vault.add_commit("t.csv", table(200, f"v{version}"))
    packs = len(list((vault.folder / "objects").glob("*.pack")))
    vault.json("gc")
    assert len(list((vault.folder / "objects").glob("*.pack"))) < packs / 4
    assert vault.json("verify", "--full")["ok"]
    assert vault.checkout("t.csv@7") == table(200, "v6").encode()
