"""Versions in a vault: added, committed, compared, written back, blamed; who may not is refused."""
import json
import os
import shutil

import pytest
from vault_helper import Vault


def table(rows, marks=()):
    lines = ["name,city,score"] + [f"n{i},c{i % 7},{i * 37 % 1000}" for i in range(rows)]
    for row, text in marks:
        lines[row + 1] = text
    return "\n".join(lines) + "\n"


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    made.contributor("alice", sources=["web"])
    return made


def test_versions_come_back_bit_by_bit(vault):
    first = table(3000)
    second = table(3000, [(17, "n17,CHANGED,1"), (2999, "last")]) + "tail,without,newline"
    assert vault.add_commit("t.csv", first, key="alice")["datasets"][0]["version"] == 1
    made = vault.add_commit("t.csv", second, key="alice")["datasets"][0]
    assert (made["version"], made["changed"], made["added"], made["removed"]) == (2, 2, 1, 0)
    assert vault.checkout("t.csv@1") == first.encode()
    assert vault.checkout("t.csv", "b") == vault.checkout("t.csv@latest", "c") == second.encode()
    assert vault.checkout(f"t.csv@{vault.log('--type', 'commit')[0]['id'][:9]}", "d") == first.encode()
    vault.run("checkout", "t.csv@3", "-o", vault.base / "e", code=2)
    vault.run("checkout", "u.csv", "-o", vault.base / "e", code=2)
    assert not (vault.base / "e").exists()


def test_odd_bytes_come_back(vault):
    for name, content in [("crlf.csv", b"a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n"), ("bom.csv", b"\xef\xbb\xbfa,b\n1,2\n"),
                          ("empty.csv", b""), ("blob.bin", bytes(range(256)) * 5000),
                          ("l.jsonl", b'{"a":1}\n\n{"a":2}\n'), ("latin.csv", b"a,b\n\xe9,2\n")]:
        vault.add_commit(name, content, key="alice")
        assert vault.checkout(name, "out-" + name) == content, name


def test_diff_tells_rows(vault):
    vault.add_commit("t.csv", table(500), key="alice")
    lines = table(500, [(40, "new40,x,0")]).splitlines(keepends=True)
    del lines[1 + 100]
    lines.insert(1 + 300, "inserted,y,1\n")
    vault.add_commit("t.csv", "".join(lines), key="alice")
    diff = vault.json("diff", "t.csv@1", "t.csv@2")
    assert (diff["added"], diff["removed"], diff["changed"], diff["more"]) == (1, 1, 1, 0)
    kinds = {row["kind"]: row for row in diff["rows"]}
    assert kinds["changed"]["new"] == "new40,x,0" and kinds["changed"]["old_row"] == 40
    assert kinds["added"]["new"] == "inserted,y,1" and kinds["removed"]["old_row"] == 100
    back = vault.json("diff", "t.csv@2", "t.csv@1", "--limit", 1)
    assert (back["added"], back["removed"], back["changed"], back["more"]) == (1, 1, 1, 2)
    assert vault.json("diff", "t.csv@2")["rows"] == []


def test_diff_tells_headers(vault):
    vault.add_commit("t.csv", table(50), key="alice")
    vault.add_commit("t.csv", table(50).replace("city", "town"), key="alice")
    diff = vault.json("diff", "t.csv@1", "t.csv@2")
    texts = {(o["of"], o["text"].strip()) for o in diff["other"] if o["kind"] == "bytes"}
    assert diff["rows"] == [] and texts == {("old", "name,city,score"), ("new", "name,town,score")}
    assert "town" in vault.run("diff", "t.csv@1").stdout


def test_unchanged_data_is_no_new_version(vault):
    vault.add_commit("t.csv", table(100), key="alice")
    again = vault.json("add", "t.csv", "--source", "web", "--key", "alice")
    assert (again["dataset"], again["staged"], again["parent"]) == ("t.csv", False, 1)
    vault.run("commit", "-m", "nothing", code=2)


def test_status(vault):
    old = 1_000_000_000
    path = vault.write("t.csv", table(100))
    os.utime(path, (old, old))
    vault.json("add", "t.csv", "--source", "web", "--key", "alice")
    state = vault.json("status")["datasets"][0]
    assert state["state"] == "new" and state["staged"]["by"] == "alice" and state["version"] == 0
    vault.commit(key="alice")
    for more in [(), ("--full",)]:
        state = vault.json("status", *more)["datasets"][0]
        assert state["state"] == "unchanged" and state["staged"] is None and state["version"] == 1
    path.write_text(table(100, [(5, "n5,c5,999")]))  # the same length, perhaps
    assert vault.json("status")["datasets"][0]["state"] == "changed"
    path.unlink()
    assert vault.json("status")["datasets"][0]["state"] == "missing"
    assert "missing" in vault.run("status").stdout


def test_status_of_a_folder(vault):
    for name in ["a/1.csv", "a/2.csv", "b/3.csv"]:
        vault.write("set/" + name, table(50))
    vault.add_commit("set", key="alice")
    assert vault.json("status")["datasets"][0]["state"] == "unchanged"
    vault.write("set/b/4.csv", "x,y\n")
    assert vault.json("status")["datasets"][0]["state"] == "changed"
    (vault.root / "set/b/4.csv").unlink()
    assert vault.json("status", "--full")["datasets"][0]["state"] == "unchanged"
    target = vault.checkout("set", "set-again")
    assert sorted(p.name for p in target.rglob("*.csv")) == ["1.csv", "2.csv", "3.csv"]


def test_who_may_not_is_refused_before_anything_is_read(vault):
    vault.write("t.csv", table(100))
    vault.key("mallory")
    objects = sorted(p.name for p in (vault.folder / "objects").iterdir())
    for words, why in [(("--source", "web", "--key", "mallory"), "unknown"),
                       (("--source", "press", "--key", "alice"), "no source")]:
        result = vault.run("add", "t.csv", *words, code=1)
        assert "refused: " in result.stderr and why in result.stderr
    vault.run("add", "t.csv", "--key", "alice", code=2)
    assert sorted(p.name for p in (vault.folder / "objects").iterdir()) == objects
    refused = vault.log("--type", "refused")
    assert [e["entry"]["op"] for e in refused] == ["add", "add"]
    assert refused[0]["entry"]["dataset"] == "t.csv" and "unknown" in refused[0]["entry"]["reason"]
    vault.json("add", "t.csv", "--source", "web", "--key", "alice")
    vault.run("commit", "-m", "x", "--key", "mallory", code=1)
    assert vault.json("status")["datasets"][0]["version"] == 0


def test_commit_at_once_and_names(vault, tmp_path):
    path = tmp_path / "elsewhere.csv"
    path.write_text(table(10))
    vault.run("add", path, "--source", "web", "--key", "alice", code=2)
    answer = vault.json("add", path, "--source", "web", "--key", "alice", "--name", "in/side.csv", "-m", "one go")
    assert answer["datasets"][0]["name"] == "in/side.csv" and not answer["pending"]
    assert vault.json("status")["datasets"][0]["state"] == "unchanged"
    for name in ["a@b", "../up", "x//y", "/abs", "./x", "end/"]:
        vault.run("add", path, "--source", "web", "--key", "alice", "--name", name, code=2)
    vault.run("add", vault.folder / "config", "--source", "web", "--key", "alice", code=2)
    assert vault.log("--type", "commit")[0]["entry"]["message"] == "one go"


def test_a_stale_submission_must_be_added_again(vault):
    vault.add_commit("t.csv", table(100), key="alice")
    vault.write("t.csv", table(100, [(1, "one,x,1")]))
    vault.json("add", "t.csv", "--source", "web", "--key", "alice")
    kept = {p.name: p.read_bytes() for p in (vault.folder / "stage").iterdir()}
    vault.commit(key="alice")
    (vault.folder / "stage" / next(iter(kept))).write_bytes(next(iter(kept.values())))
    vault.run("commit", "-m", "again", "--key", "alice", code=2)  # it is in the log already: nothing is staged
    assert not list((vault.folder / "stage").iterdir())
    assert vault.json("status")["datasets"][0]["version"] == 2


def test_two_signatures(vault):
    vault.contributor("bob", sources=["web"])
    policy = vault.write("policy.yaml", "signatures: 2\n")
    vault.run("policy", "set", policy)
    vault.write("t.csv", table(100))
    vault.json("add", "t.csv", "--source", "web", "--key", "alice")
    pending = vault.json("commit", "-m", "both", "--key", "alice")
    assert pending["pending"] and (pending["signatures"], pending["needed"]) == (1, 2)
    assert vault.json("commit", "--key", "alice")["pending"]
    assert vault.json("status")["commit_pending"]
    done = vault.json("commit", "--key", "bob")
    assert not done["pending"] and done["datasets"][0]["version"] == 1
    assert len(vault.log("--type", "commit")[0]["keys"]) == 2
    assert not vault.json("status")["commit_pending"]


def test_blame(vault):
    vault.source("press")
    vault.contributor("bob", sources=["press"])
    vault.add_commit("t.csv", table(400), key="alice", message="the beginning")
    vault.write("t.csv", table(400, [(123, "bobs,row,1")]))
    vault.json("add", "t.csv", "--source", "press", "--key", "bob", "--note", "by mail")
    vault.commit("bob was here", "bob")
    vault.checkout("t.csv@1", "x")
    vault.checkout("t.csv@2", "y", "--as", "alice")
    row = vault.json("blame", "t.csv", 123)["rows"][0]
    assert row["contributor"]["principal"] == "bob" and row["source"]["id"] == "press" and row["text"] == "bobs,row,1"
    assert row["commit"]["message"] == "bob was here" and row["commit"]["version"] == 2
    assert row["submission"]["note"] == "by mail"
    assert [(r["by"], r["version"]) for r in row["readers"]] == [("alice", 2)]
    row = vault.json("blame", "t.csv", 122)["rows"][0]
    assert row["contributor"]["principal"] == "alice" and row["commit"]["version"] == 1
    assert [(r["by"], r["version"]) for r in row["readers"]] == [("admin", 1), ("alice", 2)]  # the default key, where none is named
    found = vault.json("blame", "t.csv", "--where", "city=c3", "--limit", 3)
    assert len(found["rows"]) == 3 and found["more"] > 40 and all(",c3," in r["text"] for r in found["rows"])
    assert vault.json("blame", "t.csv@1", "--where", "name=bobs")["rows"] == []
    vault.run("blame", "t.csv", 400, code=2)
    vault.run("blame", "t.csv", code=2)
    assert "bobs,row,1" in vault.run("blame", "t.csv", 123).stdout


def test_impact(vault):
    vault.contributor("bob", sources=["web"])
    vault.add_commit("t.csv", table(200), key="alice")
    vault.add_commit("t.csv", table(200, [(7, "bad,row,1")]), key="bob")
    vault.add_commit("t.csv", table(200, [(7, "bad,row,1"), (9, "good,row,1")]), key="alice")
    vault.add_commit("t.csv", table(200, [(9, "good,row,1")]), key="alice")
    vault.add_commit("copy.jsonl", '{"name":"bad","city":"row","score":1}\n{"name":"x"}\n', key="alice")
    by_key = vault.json("impact", "bob")
    assert [(v["dataset"], v["version"], v["rows"], v["latest"]) for v in by_key["versions"]] == [
        ("t.csv", 2, 1, False), ("t.csv", 3, 1, False)]
    commit = vault.log("--type", "commit")[1]["id"][:12]
    assert vault.json("impact", commit)["versions"] == by_key["versions"]
    by_row = vault.json("impact", "t.csv@2#7")
    assert [(v["dataset"], v["version"]) for v in by_row["versions"]] == [("t.csv", 2), ("t.csv", 3), ("copy.jsonl", 1)]
    assert len(vault.json("impact", "web")["versions"]) == 5
    fingerprint = vault.log("--by", "bob")[0]["key"]
    assert vault.json("impact", fingerprint)["versions"] == by_key["versions"]
    vault.run("impact", "nobody", code=2)


def test_a_wrong_index_does_no_harm(vault):
    vault.add_commit("t.csv", table(300), key="alice")
    vault.add_commit("t.csv", table(300, [(3, "x,y,1")]), key="alice")
    before = vault.json("log")
    index = vault.folder / "index"
    for damage in range(5):
        database = index / "vault.sqlite"
        raw = bytearray(database.read_bytes())
        if damage == 0:
            raw[len(raw) // 2] ^= 1
            database.write_bytes(raw)
        elif damage == 1:
            database.write_bytes(raw[: len(raw) // 3])
        elif damage == 2:
            (index / "seal").write_text("nonsense")
        elif damage == 3:
            shutil.rmtree(index)
        else:
            (vault.base / "other").mkdir()
            other = Vault(vault.base / "other")
            other.source("elsewhere")
            other.json("status")
            for name in ["vault.sqlite", "seal"]:
                shutil.copy(other.folder / "index" / name, index / name)
        assert vault.json("log") == before, damage
        assert vault.checkout("t.csv@1", f"o{damage}") == table(300).encode()
        before = vault.json("log")
    assert vault.json("reindex")["versions"] == 2
    assert vault.json("impact", "t.csv@2#3")["versions"]


def test_sorted_trees_are_made_again(vault):
    vault.add_commit("t.csv", table(300), key="alice")
    packs = [p for p in (vault.folder / "index" / "sorted").rglob("*") if p.is_file()]
    for pack in packs:
        raw = bytearray(pack.read_bytes())
        raw[len(raw) // 2] ^= 0x40
        pack.write_bytes(raw)
    assert vault.json("reindex")["sorted"] == 1
    assert vault.json("reindex")["sorted"] == 0
    assert vault.json("impact", "t.csv@1#3")["versions"]


def test_log_filters(vault):
    vault.add_commit("a.csv", table(10), key="alice")
    vault.add_commit("b.csv", table(11), key="alice")
    assert {e["type"] for e in vault.log("--data", "a.csv")} == {"submission", "commit"}
    assert all(e["by"] == "alice" for e in vault.log("--by", "alice"))
    assert [e["type"] for e in vault.log("-n", "1")] == ["commit"]
    assert [e["index"] for e in vault.log()] == list(range(len(vault.log())))
    text = vault.run("log").stdout
    assert "a.csv@1" in text and "init" in text


def test_no_vault_and_two(vault, tmp_path):
    assert "bezoar vault init" in vault.run("status", "--vault", tmp_path, code=2).stderr
    vault.run("init", code=2)
    below = vault.root / "deep" / "er"
    below.mkdir(parents=True)
    result = vault.call("vault", "status", "--json", "--vault", vault.folder)
    assert json.loads(result.stdout)["vault"] == str(vault.folder.resolve())
