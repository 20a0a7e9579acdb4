"""What enters a vault comes out bit by bit, whatever it is; what cannot be kept so is refused by name, and nothing is
staged."""
import os
import random

import pytest
from vault_helper import Vault

ODD = {
    "plain.csv": b"a,b\n1,2\n",
    "windows.csv": b"a,b\r\n1,2\r\n\r\n3,4",
    "mac.csv": b"a,b\r1,2\r\r3,4\r",
    "excel.csv": b"\xef\xbb\xbfsep=;\r\na;b\r\n1;\"x;\r\n\"\"y\"\"\"\r\n",
    "bytes.csv": b"a,b\n\xff\x00,\x80\n , \n,,,\n",
    "blank.csv": b"\n\n\r\n",
    "one.csv": b"x",
    "wide.csv": b",".join(b"c%d" % i for i in range(3000)) + b"\n" + b",".join(b"%d" % i for i in range(3000)),
    "odd.jsonl": b'\xef\xbb\xbf{"a":1}\r\n\n  \n[1\n\xff\xfe\n{"a":"\\ud800"}',
    "empty.jsonl": b"",
    "no-ending": b"\x00" * 70000 + b"\x01",
    "prose.txt": b"It was, all in all,\na day.\n",
}


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    made.contributor("alice", sources=["web"])
    return made


def add(vault, name, code=0):
    return vault.run("add", name, "--key", "alice", "--source", "web", "-m", "add", code=code)


def test_odd_files_come_back(vault):
    for name, content in ODD.items():
        vault.write(name, content)
        add(vault, name)
        back = vault.base / f"back-{name}"
        vault.run("checkout", name, "-o", back)
        assert back.read_bytes() == content, name


def test_folders_come_back(vault):
    rng = random.Random(4)
    for name, content in ODD.items():
        vault.write(f"all/{rng.choice(['', 'a/', 'a/b/', 'ü/'])}{name}", content)
    vault.write("all/line\nbreak, \"and\" quotes.csv", b"x,y\n1,2\n")
    add(vault, "all")
    back = vault.base / "back"
    vault.run("checkout", "all", "-o", back)
    want = {path.relative_to(vault.root / "all"): path.read_bytes()
            for path in (vault.root / "all").rglob("*") if path.is_file()}
    assert {path.relative_to(back): path.read_bytes() for path in back.rglob("*") if path.is_file()} == want
    vault.run("checkout", "all", "-o", back, code=2)  # it is there
    assert not list(vault.base.glob("back.part*"))


def stop_log(vault):
    """From now on nothing can be appended: a folder lies where the next entries would."""
    size = int((vault.folder / "log" / "head").read_text().split("\n")[1])
    for at in range(size + 1, size + 4):
        (vault.folder / "log" / "tile" / "entries" / "000.p" / str(at)).mkdir()


def test_nothing_is_delivered_without_its_entry(vault):
    vault.write("one.csv", "a,b\n1,2\n")
    vault.write("all/two.csv", "a,b\n1,2\n")
    for name in ("one.csv", "all"):
        add(vault, name)
    mine = vault.write("mine.csv", "what I had\n")
    stop_log(vault)
    vault.run("checkout", "one.csv", "-o", mine, "--force", code=3)
    assert mine.read_text() == "what I had\n"
    vault.run("checkout", "all", "-o", vault.base / "out", code=3)
    assert not list(vault.base.glob("out*")) and not list(vault.root.glob("mine.csv?*"))


def test_a_file_that_is_there_stays(vault):
    vault.write("one.csv", "a,b\n1,2\n")
    add(vault, "one.csv")
    mine = vault.write("mine.csv", "what I had\n")
    assert "--force" in vault.run("checkout", "one.csv", "-o", mine, code=2).stderr
    assert mine.read_text() == "what I had\n"
    vault.run("checkout", "one.csv", "-o", mine, "--force")
    assert mine.read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize("kind", ["link", "fifo", "name", "quote", "nothing"])
def test_what_cannot_be_kept_is_refused_by_name(vault, kind):
    vault.write("set/fine.csv", b"a,b\n1,2\n")
    culprit = os.fsencode(vault.root / "set") + {"name": b"/\xff.csv"}.get(kind, b"/culprit.csv")
    if kind == "link":
        os.symlink(b"fine.csv", culprit)
    elif kind == "fifo":
        os.mkfifo(culprit)
    elif kind == "name":
        with open(culprit, "wb") as file:
            file.write(b"a\n")
    elif kind == "quote":
        vault.write("set/culprit.csv", b"a,b\n" + b"1,\"2, 3\"\n" * 5000 + b"5,\"6\n" + b"7,8\n" * 5)
    else:
        (vault.root / "none").mkdir()
    result = add(vault, "none" if kind == "nothing" else "set", code=3 if kind == "quote" else 2)
    assert {"name": "UTF-8", "nothing": "no files"}.get(kind, "culprit.csv") in result.stderr
    assert vault.json("status")["datasets"] == []
