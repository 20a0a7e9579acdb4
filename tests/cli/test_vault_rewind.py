"""Undoing without rewriting: rollback, revert, revoke."""
import random

import pytest
from vault_helper import Vault


def lines(rows, start=0):
    return [f"n{i},c{i % 7},{i * 37 % 1000}\n" for i in range(start, start + rows)]


def text(rows):
    return "name,city,score\n" + "".join(rows)


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    for name in ["alice", "mallory"]:
        made.contributor(name, sources=["web"])
    return made


def commit_id(vault, at):
    return vault.log("--type", "commit")[at]["id"][:12]


def test_rollback(vault):
    first = lines(300)
    vault.add_commit("t.csv", text(first), key="alice")
    vault.add_commit("t.csv", text(first[:50] + ["bad,bad,1\n"] * 5 + first[60:]), key="mallory")
    answer = vault.json("rollback", "t.csv@1", "--key", "alice")
    assert answer["datasets"][0]["version"] == 3 and not answer["pending"]
    assert vault.checkout("t.csv") == text(first).encode()
    assert vault.json("blame", "t.csv", 55)["rows"][0]["commit"]["version"] == 1
    assert vault.json("diff", "t.csv@1", "t.csv@3")["rows"] == []
    assert b"bad" in vault.checkout("t.csv@2", "old")
    entry = vault.log("--type", "commit")[-1]["entry"]
    assert entry["rollback"] == {"dataset": "t.csv", "version": 1} and "rollback to t.csv@1" in entry["message"]
    vault.run("rollback", "t.csv@1", "--key", "alice", code=2)
    vault.key("nobody")
    vault.run("rollback", "t.csv@2", "--key", "nobody", code=1)
    assert vault.json("status")["datasets"][0]["version"] == 3


def test_revert_of_the_last_commit(vault):
    first = lines(300)
    vault.add_commit("t.csv", text(first), key="alice")
    vault.add_commit("t.csv", text(["bad,bad,1\n", *first[3:]]), key="mallory")
    vault.json("revert", commit_id(vault, 1), "--key", "alice")
    assert vault.checkout("t.csv") == text(first).encode()
    assert vault.json("blame", "t.csv", 1)["rows"][0]["contributor"]["principal"] == "alice"


def test_revert_keeps_what_was_done_since(vault):
    first = lines(600)
    vault.add_commit("t.csv", text(first), key="alice")
    bad = list(first)
    bad[100] = "bad100,x,1\n"  # changed
    bad[200] = "bad200,x,1\n"  # changed, and again by somebody else later
    del bad[300:305]  # removed
    bad[400:400] = ["bad400,x,1\n", "bad401,x,1\n"]  # added
    vault.add_commit("t.csv", text(bad), key="mallory")
    after = ["front,y,1\n", *bad]
    after[201] = "good200,y,1\n"
    after.remove(first[550])
    after.append("end,y,1\n")
    vault.add_commit("t.csv", text(after), key="alice")
    want = list(first)
    want[200] = "good200,y,1\n"
    want.remove(first[550])
    want = ["front,y,1\n", *want, "end,y,1\n"]
    vault.json("revert", commit_id(vault, 1), "--key", "alice", "-m", "out with it")
    assert vault.checkout("t.csv").decode() == text(want)
    for row, version in [(0, 3), (101, 1), (201, 3), (302, 1), (len(want) - 1, 3)]:
        assert vault.json("blame", "t.csv", row)["rows"][0]["commit"]["version"] == version, row
    assert [v["version"] for v in vault.json("impact", "mallory")["versions"]] == [2, 3]
    assert vault.log("--type", "commit")[-1]["entry"]["revert"]["commit"].startswith(commit_id(vault, 1))
    vault.run("revert", commit_id(vault, 1), "--key", "alice", code=2)  # nothing of it is left


def test_revert_of_the_first_commit(vault):
    first = lines(50)
    vault.add_commit("t.csv", text(first), key="mallory")
    vault.add_commit("t.csv", text(first + lines(20, 100)), key="alice")
    vault.json("revert", commit_id(vault, 0), "--key", "alice")
    assert vault.checkout("t.csv").decode() == text(lines(20, 100))


def test_revert_of_moved_rows_and_of_a_revert(vault):
    first = lines(300)
    vault.add_commit("t.csv", text(first), key="alice")
    vault.add_commit("t.csv", text(first + ["bad1,x,1\n", "bad2,x,1\n"]), key="mallory")
    vault.add_commit("t.csv", text(["bad1,x,1\n", *first[:100], "new,x,1\n", *first[100:], "bad2,x,1\n"]), key="alice")
    vault.json("revert", commit_id(vault, 1), "--key", "alice")
    assert vault.checkout("t.csv").decode() == text([*first[:100], "new,x,1\n", *first[100:]])
    vault.json("revert", commit_id(vault, 3), "--key", "alice")
    assert vault.checkout("t.csv", "b") == vault.checkout("t.csv@3", "c")
    assert vault.json("blame", "t.csv", 0)["rows"][0]["contributor"]["principal"] == "mallory"
    assert vault.json("verify", "--full")["ok"]


def test_revert_where_the_last_line_has_no_end(vault):
    first = [*lines(40)[:-1], "last,x,1"]
    vault.add_commit("t.csv", text(first), key="alice")
    vault.add_commit("t.csv", text(first[:20]), key="mallory")
    vault.add_commit("t.csv", text(["front,x,1\n", *first[:19], first[19].rstrip("\n")]), key="alice")
    vault.json("revert", commit_id(vault, 1), "--key", "alice")
    assert vault.checkout("t.csv").decode().splitlines() == text(["front,x,1\n", *first]).splitlines()


def test_revert_in_a_folder_of_pictures(vault):
    draw = random.Random(5)
    pictures = {f"{kind}/{i}.png": b"\x89PNG\r\n\x1a\n" + draw.randbytes(300) for kind in ["cat", "dog"] for i in range(20)}
    for name, content in pictures.items():
        vault.write("set/" + name, content)
    vault.add_commit("set", key="alice")
    vault.write("set/cat/3.png", b"\x89PNG\r\n\x1a\nbad")
    vault.write("set/dog/extra.png", b"\x89PNG\r\n\x1a\nbad too")
    (vault.root / "set/dog/7.png").unlink()
    vault.add_commit("set", key="mallory")
    vault.write("set/cat/new.png", b"\x89PNG\r\n\x1a\nnew")
    vault.add_commit("set", key="alice")
    vault.json("revert", commit_id(vault, 1), "--key", "alice")
    target = vault.checkout("set", "back")
    found = {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*.png")}
    assert found == {**pictures, "cat/new.png": b"\x89PNG\r\n\x1a\nnew"}


def test_revert_of_a_random_commit(vault):
    """Against what a person would write: the commit's changes taken back in lists of lines."""
    for seed in range(4):
        draw = random.Random(seed)
        name = f"r{seed}.csv"
        base = [f"{seed},{i},{draw.randrange(10**6)}\n" for i in range(800)]
        vault.add_commit(name, text(base), key="alice")
        touched = sorted(draw.sample(range(0, 800, 4), 60))
        bad, later = {}, set()
        for at in touched:
            bad[at] = draw.choice(["change", "remove", "add"])
        mine = [row for i, line in enumerate(base) for row in
                {"change": [f"bad{i},x,1\n"], "remove": [], "add": [line, f"bad{i},y,1\n"], None: [line]}[bad.get(i)]]
        vault.add_commit(name, text(mine), key="mallory")
        later = {i for i in draw.sample(range(2, 800, 4), 40)}
        edit = {line: f"later{i},z,1\n" for i, line in enumerate(base) if i in later}
        vault.add_commit(name, text([edit.get(line, line) for line in mine]), key="alice")
        vault.json("revert", commit_id(vault, -2), "--key", "alice")
        assert vault.checkout(name, f"out{seed}").decode() == text([edit.get(line, line) for line in base])
    assert vault.json("verify", "--full")["ok"]


def test_revoke(vault):
    first = lines(100)
    vault.add_commit("t.csv", text(first), key="alice")
    vault.add_commit("t.csv", text([*first, "bad,x,1\n"]), key="mallory")
    vault.write("t.csv", text(first[:50]))
    vault.json("add", "t.csv", "--source", "web", "--key", "mallory")
    answer = vault.json("revoke", "mallory", "--since", "2020-01-01", "--reason", "poison")
    assert answer["revoked"][0]["principal"] == "mallory"
    assert [(v["version"], v["rows"]) for v in answer["impact"][0]["versions"]] == [(2, 1)]
    vault.run("commit", "-m", "too late", "--key", "alice", code=1)
    vault.run("add", "t.csv", "--source", "web", "--key", "mallory", code=1)
    assert vault.json("blame", "t.csv", 100)["rows"][0]["contributor"]["disowned"]
    assert "revoked" in vault.run("blame", "t.csv", 100).stdout
    assert not vault.json("blame", "t.csv", 99)["rows"][0]["contributor"]["disowned"]
    assert vault.log("--type", "revoke")[0]["entry"]["reason"] == "poison"
