"""Proofs about rows: what `prove` writes, `verify-proof` and a checker of its own take; what anybody changed, neither does."""
import base64
import hashlib
import json
import random
import shutil

import pytest

from c2sp import COSIGNATURE, Signer, Wrong
from vault_helper import Vault
from verify_row_proof import verify

ROWS = 1500


def table(numbers):
    return "id,word\n" + "".join(f"{n},word {n * 31}\n" for n in numbers)


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    v = Vault(tmp_path_factory.mktemp("proof"))
    v.source("web")
    v.contributor("alice", sources=["web"])
    v.add_commit("train.csv", table(range(ROWS)), key="alice")
    v.add_commit("train.csv", table([n for n in range(ROWS) if n != 700] + [7, 7]), key="alice")
    v.vkey = json.loads((v.folder / "config").read_text())["log_key"]
    return v


def prove(vault, *words):
    path = vault.base / "a.proof"
    answer = vault.json("prove", *words, "-o", path)
    raw = path.read_bytes()
    assert answer["bytes"] == len(raw)
    return raw, answer


def check(vault, raw, *more, code=0):
    path = vault.base / "b.proof"
    path.write_bytes(raw)
    return vault.json("verify-proof", path, "--log-key", vault.vkey, *more, code=code)


def both(vault, raw):
    """The answers of both checkers, which agree."""
    answer, found = check(vault, raw), verify(raw, vault.vkey)
    assert answer["ok"] and answer["dataset"] == found["dataset"] and answer["contributors"] == found["signers"]
    for name in ("index", "version", "commit", "commit_index", "committers"):
        assert answer[name] == found[name]
    assert [(c["claim"], c["canonical"]) for c in answer["claims"]] == found["claims"]
    return answer


@pytest.mark.parametrize("row", [0, 1, 63, 64, 700, ROWS - 1])
def test_a_row_is_included(vault, row):
    raw, made = prove(vault, "train.csv@1", row)
    claim, = both(vault, raw)["claims"]
    assert claim["claim"] == "included" and claim["type"] == "row" and made["claims"] == [claim]
    assert claim["raw"] == hashlib.sha256(f"{row},word {row * 31}\n".encode()).hexdigest()
    assert len(raw) < 4096


def test_rows_of_a_file_are_there_or_not(vault):
    asked = vault.write("asked.csv", table([700, 3, 7, ROWS + 5]))
    for version, kinds in (("@1", ["present", "present", "present", "absent"]),
                           ("@2", ["absent", "present", "present", "absent"])):
        raw, _ = prove(vault, "train.csv" + version, "--row", asked)
        claims = both(vault, raw)["claims"]
        assert [claim["claim"] for claim in claims] == kinds
        assert check(vault, raw, "--row", asked)["ok"]
    assert [claim.get("count") for claim in claims] == [None, 1, 3, None]
    other = vault.write("other.csv", table([700, 8]))
    answer = check(vault, raw, "--row", other, code=1)
    assert not answer["ok"] and "says nothing about a row" in answer["why"]


def test_who_needs_absence_says_so(vault):
    """Absent and present both hold; the answer tells them apart by row, and the options by exit code."""
    proofs = {}
    for name, numbers in (("gone.csv", [700]), ("kept.csv", [3]), ("mixed.csv", [3, 700, 3])):
        asked = vault.write(name, table(numbers))
        proofs[name] = asked, prove(vault, "train.csv@2", "--row", asked)[0]
    for name, absent, present in (("gone.csv", 0, 1), ("kept.csv", 1, 0), ("mixed.csv", 1, 1)):
        asked, raw = proofs[name]
        for rows in ((), ("--row", asked)):
            assert check(vault, raw, "--absent", *rows, code=absent)["ok"] is not bool(absent)
            assert check(vault, raw, "--present", *rows, code=present)["ok"] is not bool(present)
    rows = check(vault, raw, "--row", asked)["rows"]
    assert [(row["row"], row["claim"]) for row in rows] == [(0, "present"), (1, "absent"), (2, "present")]
    told = vault.run("verify-proof", vault.base / "b.proof", "--log-key", vault.vkey, "--row", asked).stdout
    assert [line.split()[:3] for line in told.splitlines()[-3:]] == [
        ["row", "0", "present"], ["row", "1", "absent"], ["row", "2", "present"]]
    included = prove(vault, "train.csv@2", 3)[0]
    assert "is included" in check(vault, included, "--absent", code=1)["why"]
    assert check(vault, included, "--present")["ok"]
    vault.run("verify-proof", vault.base / "b.proof", "--log-key", vault.vkey, "--absent", "--present", code=2)


def test_the_same_row_in_another_format(vault):
    lines = vault.write("asked.jsonl", '{"word":"word 21700","id":700}\n{"id":7,"word":"word 217"}\n')
    raw, _ = prove(vault, "train.csv@2", "--row", lines)
    assert [claim["claim"] for claim in both(vault, raw)["claims"]] == ["absent", "present"]


def test_absence_anywhere(vault):
    rng = random.Random(1)
    digests = ["00" * 32, "ff" * 32] + [rng.randbytes(32).hex() for _ in range(10)]
    for digest in digests:
        raw, _ = prove(vault, "train.csv", "--digest", digest)
        claim, = both(vault, raw)["claims"]
        assert claim == {"claim": "absent", "canonical": digest}
        assert len(raw) < 8192


def test_an_empty_version(vault):
    vault.add_commit("empty.csv", "id,word\n", key="alice")
    raw, _ = prove(vault, "empty.csv", "--digest", "ab" * 32)
    assert both(vault, raw)["claims"][0]["claim"] == "absent"
    assert "top 0\n" in raw.decode()


def test_an_empty_tree_holds_nothing(vault):
    """Its id depends on no hash: an item with `top 0` behind it would lead to it, whatever the item says."""
    vault.write("nothing.bin", bytes(range(256)) * 8)
    vault.add_commit("nothing.bin", key="alice")
    lines = prove(vault, "nothing.bin", "--digest", "ab" * 32)[0].decode().split("\n")[:-2]
    some, digest = base64.b64encode(b"a" * 32).decode(), lines[2]
    assert digest.startswith("digest ") and lines[3] == "top 0"
    for claim in (["claim present", f"item {some} 7"], ["claim included", f"item 3 {some} {some}"],
                  ["claim absent", digest, f"item {base64.b64encode(b'z' * 32).decode()} 1"],
                  ["claim absent", digest, f"root {some}"]):
        lie = resealed(lines[:1] + claim + lines[3:])
        assert check(vault, lie, code=1)["ok"] is False
        with pytest.raises(Wrong):
            verify(lie, vault.vkey)


def test_every_flipped_byte_is_noticed(vault):
    """Here by the independent checker, byte by byte, and by the command for a sample."""
    rng = random.Random(2)
    some = [prove(vault, "train.csv@1", 700)[0], prove(vault, "train.csv@2", "--digest", "77" * 32)[0]]
    for raw in some:
        for at in range(len(raw)):
            changed = raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1:]
            with pytest.raises((Wrong, json.JSONDecodeError, KeyError)):
                verify(changed, vault.vkey)
        for at in rng.sample(range(len(raw)), 60):
            answer = check(vault, raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1:], code=1)
            assert answer["ok"] is False and answer["why"]
        for at in rng.sample(range(len(raw)), 10):
            assert check(vault, raw[:at], code=1)["ok"] is False


def resealed(lines):
    """A proof whose last line fits again: what a liar would do."""
    raw = "\n".join(lines).encode() + b"\n"
    return raw + b"end " + base64.b64encode(hashlib.sha256(raw).digest()) + b"\n"


def test_resealed_lies_are_noticed(vault):
    """Whoever changes a claim can make the last line fit, and the hashes still do not."""
    raw, _ = prove(vault, "train.csv@2", "--digest", "77" * 32)
    lines = raw.decode().split("\n")[:-2]
    begin = next(i for i, line in enumerate(lines) if line.startswith("submission "))
    for at in range(1, begin):
        for changed in ([], [lines[at], lines[at]], [lines[at].replace("l ", "r ", 1)], [lines[at].replace("r ", "l ", 1)]):
            if changed == [lines[at]]:
                continue
            lie = resealed(lines[:at] + changed + lines[at + 1:])
            with pytest.raises(Wrong):
                verify(lie, vault.vkey)
            assert check(vault, lie, code=1)["ok"] is False


def test_a_digest_that_is_there_cannot_be_absent(vault):
    there = prove(vault, "train.csv@2", 10)[1]["claims"][0]["canonical"]
    raw, _ = prove(vault, "train.csv@2", "--digest", f"{int(there, 16) + 1:064x}")
    lines = raw.decode().split("\n")[:-2]
    lines[2] = "digest " + base64.b64encode(bytes.fromhex(there)).decode()
    lie = resealed(lines)
    assert "not smaller" in check(vault, lie, code=1)["why"]
    with pytest.raises(Wrong):
        verify(lie, vault.vkey)


def test_another_log_vouches_for_nothing(vault, tmp_path):
    other = Vault(tmp_path)
    key = json.loads((other.folder / "config").read_text())["log_key"]
    raw, _ = prove(vault, "train.csv", 5)
    path = vault.base / "c.proof"
    path.write_bytes(raw)
    assert vault.json("verify-proof", path, "--log-key", key, code=1)["ok"] is False
    with pytest.raises(Wrong):
        verify(raw, key)
    vault.run("verify-proof", path, "--log-key", "nonsense", code=1)
    vault.run("verify-proof", path, code=2)


def test_consistency(vault):
    raw, made = prove(vault, "--consistency", 3)
    answer = check(vault, raw)
    assert answer["kind"] == "consistency" and answer["old"]["size"] == 3 and answer["new"]["size"] == made["new"]
    assert verify(raw, vault.vkey) == {"old": 3, "new": made["new"]}
    for line in (b"size 3\n", b"root "):
        lie = raw.replace(line, b"size 4\n" if line == b"size 3\n" else b"root A", 1)
        assert check(vault, lie, code=1)["ok"] is False
        with pytest.raises(Wrong):
            verify(lie, vault.vkey)
    vault.run("prove", "--consistency", 10 ** 6, code=2)


def test_every_proof_stands_in_the_log(vault):
    before = len(vault.log("--type", "access"))
    prove(vault, "train.csv@1", 12, "--as", "alice")
    vault.run("prove", "train.csv@1", ROWS, code=2)
    entries = vault.log("--type", "access")[before:]
    said = [entry["entry"] for entry in entries]
    assert [(e["op"], e["dataset"], e["version"], e["detail"]) for e in said] == [
        ("proof", "train.csv", 1, "row 12"), ("proof", "train.csv", 1, f"row {ROWS}")]
    assert said[0]["outcome"] == "ok" and "there is no row" in said[1]["outcome"]
    assert [entry["by"] for entry in entries] == ["alice", "admin"]  # the default key, where none is named


def test_a_lost_sorted_tree_is_made_again(vault):
    shutil.rmtree(vault.folder / "index" / "sorted")
    raw, _ = prove(vault, "train.csv@2", "--digest", "77" * 32)
    assert both(vault, raw)["claims"][0]["claim"] == "absent"


def test_a_quorum_is_never_passed_over(vault):
    """Without witnesses, or with fewer than it wants, it cannot be met; with one who did not cosign, it is not."""
    witness = Signer("w.example/1", COSIGNATURE, b"somebody").key
    for raw in (prove(vault, "train.csv", 5)[0], prove(vault, "--consistency", 3)[0]):
        path = vault.base / "q.proof"
        path.write_bytes(raw)
        for words in (["--quorum", 1], ["--quorum", 2, "--witness", witness]):
            vault.run("verify-proof", path, "--log-key", vault.vkey, *words, code=2)
        assert "cosigned" in check(vault, raw, "--quorum", 1, "--witness", witness, code=1)["why"]
        assert check(vault, raw, "--witness", witness)["ok"]


def test_usage(vault):
    vault.run("prove", "train.csv", code=2)
    vault.run("prove", "train.csv", 1, "--digest", "00" * 32, code=2)
    vault.run("prove", "train.csv", "--digest", "00", code=2)
    vault.run("prove", "train.csv", "x", code=2)
    vault.run("prove", "nothing.csv", 1, code=2)


def test_rows_of_every_kind_of_file(vault):
    """Leaves that hold the ends and beginnings of many files; rows as blame sees them."""
    for n in range(6):
        vault.write(f"many/{n}.csv", f"id,c{n}\n" + "".join(f"{i},x{n}\n" for i in range(n * 3)))
    vault.write("many/plain.txt", "some words\nthat are no rows\n")
    vault.write("many/z.jsonl", "".join(json.dumps({"id": i, "k": f"v{i}"}) + "\n" for i in range(60)))
    pixel = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
                             "rkJggg==")
    for n in range(3):
        vault.write(f"many/cats/{n}.png", pixel + bytes([n]))
    made = vault.add_commit("many", key="alice")["datasets"][0]
    kinds = set()
    for row in range(0, made["n_rows"], 3):
        raw, _ = prove(vault, "many", row)
        claim, = both(vault, raw)["claims"]
        seen = vault.json("blame", "many", row)["rows"][0]
        assert (claim["raw"], claim["canonical"]) == (seen["raw"], seen["canonical"])
        assert prove(vault, "many", "--digest", seen["canonical"])[1]["claims"][0]["claim"] == "present"
        kinds.add(claim["type"])
    assert kinds == {"row", "file"}
