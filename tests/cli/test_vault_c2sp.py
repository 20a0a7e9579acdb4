"""A vault's log in the eyes of an implementation of C2SP's specifications that knows nothing of Bezoar (c2sp.py):
tiles, checkpoints, proofs, witnesses in both roles."""
import contextlib
import json
import os
import pathlib
import shutil
import tempfile

import pytest

pytest.importorskip("cryptography")

import c2sp
from vault_helper import Vault


def log_of(vault):
    key = c2sp.Key.parse(json.loads((vault.folder / "config").read_text())["log_key"])
    return c2sp.Log(vault.folder / "log", key)


def grow(vault, n, first=0):
    """n more entries."""
    for i in range(first, first + n):
        vault.run("source", "add", f"source-{i}", "--uri", "https://example.org", "--publisher", "p", "--licence", "CC0-1.0")


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A vault whose log has two bundles. Not to be changed. In memory where that can be: each entry waits for the disk."""
    memory = pathlib.Path("/dev/shm")
    with contextlib.ExitStack() as stack:
        if os.access(memory, os.W_OK):
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=memory))
        else:
            folder = tmp_path_factory.mktemp("grown")
        vault = Vault(folder)
        grow(vault, 260)
        yield vault


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path)
    grow(vault, 3)
    return vault


@pytest.fixture
def witness(vault):
    witness = c2sp.Witness("witness.example/w1", [log_of(vault).key])
    yield witness
    witness.close()


def test_the_whole_log_verifies(grown):
    entries = log_of(grown).verify()
    assert len(entries) == 261
    assert json.loads(entries[0].split(b"\n")[0])["type"] == "init"
    assert json.loads(entries[-1].split(b"\n")[0])["id"] == "source-259"


def test_every_size_on_the_way_verifies(tmp_path):
    vault = Vault(tmp_path)
    seen = [(0, b"")]
    for i in range(9):
        grow(vault, 1, i)
        log = log_of(vault)
        hashes = [c2sp.leaf_hash(entry) for entry in log.verify()]
        for size, root in seen:
            c2sp.check_consistency(size, root, len(hashes), log.checkpoint().root,
                                   c2sp.consistency_proof(size, hashes) if size else [])
        seen.append((len(hashes), log.checkpoint().root))


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000", "tile/0/001.p/5", "tile/1/000.p/1", "tile/entries/000",
                                  "tile/entries/001.p/5"])
def test_a_changed_byte_is_noticed_by_both(grown, tmp_path, name):
    root = tmp_path / "copy"
    shutil.copytree(grown.root, root)
    path = root / ".bezoar" / "log" / name
    raw = bytearray(path.read_bytes())
    for at in {0, len(raw) // 3, len(raw) - 2}:
        raw[at] ^= 4
        path.write_bytes(raw)
        with pytest.raises(c2sp.Wrong):
            c2sp.Log(root / ".bezoar" / "log", log_of(grown).key).verify()
        raw[at] ^= 4
    path.write_bytes(raw)
    assert len(c2sp.Log(root / ".bezoar" / "log", log_of(grown).key).verify()) == 261


def test_checkpoint_is_the_note(vault):
    note = vault.run("checkpoint").stdout
    assert note == (vault.folder / "log" / "checkpoint").read_text()
    log = log_of(vault)
    answer = vault.json("checkpoint")
    checkpoint = c2sp.Checkpoint(note, log.key)
    assert (answer["size"], answer["root"], answer["key"]) == (4, checkpoint.root.hex(), str(log.key))
    vault.run("checkpoint", "-o", "kept")
    assert (vault.root / "kept").read_text() == note


def test_a_witness_is_asked(vault, witness):
    vault.run("witness", "add", witness.key, "--url", witness.url)
    answer = vault.json("witness", "ask")
    assert answer["ok"] and answer["size"] == 5
    assert witness.asked == [("/prefix/add-checkpoint", 200)]
    assert witness.key.name in log_of(vault).checkpoint().note.signed_by([witness.key])
    assert vault.json("checkpoint")["cosigned"] == [witness.key.name]
    grow(vault, 4, 10)
    assert vault.json("checkpoint")["cosigned"] == []
    assert vault.json("witness", "ask", witness.key.name)["ok"]
    assert [status for _, status in witness.asked] == [200, 409, 200]  # it says where it stands, and is told from there
    assert vault.json("witness", "list")["witnesses"][0]["cosigned"]
    assert len(log_of(vault).verify()) == 9
    vault.run("witness", "remove", witness.key.name)
    assert vault.json("witness", "list")["witnesses"] == []
    vault.run("witness", "ask", code=2)


def log_part(proof):
    """(entry, tlog-proof) of a proof about rows: parts are headed by their name and size in bytes."""
    found = {}
    for name in (b"submission", b"log"):
        at = proof.index(b"\n" + name + b" ") + 1
        head, rest = proof[at:].split(b"\n", 1)
        found[name] = rest[:int(head.split(b" ")[1])]
    return found[b"submission"], found[b"log"].decode()


def test_proofs_of_rows_hold_a_tlog_proof_with_witnesses(vault, witness):
    vault.source("web")
    vault.run("witness", "add", witness.key, "--url", witness.url)
    vault.add_commit("train.csv", "text,label\na,1\nb,0\n")
    key = log_of(vault).key
    vault.run("prove", "train.csv", "1", "-o", "alone.proof")
    assert vault.json("witness", "ask")["ok"]
    vault.run("prove", "train.csv", "1", "-o", "witnessed.proof")
    check = ("verify-proof", "witnessed.proof", "--log-key", key, "--witness", witness.key)
    assert vault.json(*check, "--quorum", "1")["ok"]
    stranger = c2sp.Signer("w.example/2", c2sp.COSIGNATURE, b"another").key
    assert not vault.json(*check, "--witness", stranger, "--quorum", "2", code=1)["ok"]
    vault.run(*check, "--quorum", "2", code=2)
    alone = ("verify-proof", "alone.proof", "--log-key", key)
    assert vault.json(*alone)["ok"]
    assert not vault.json(*alone, "--witness", witness.key, "--quorum", "1", code=1)["ok"]
    entry, proof = log_part((vault.root / "witnessed.proof").read_bytes())
    index = c2sp.check_proof(proof, entry, key, [witness.key], 1)
    assert log_of(vault).verify()[index] == entry
    for changed in (proof.replace(f"index {index}", f"index {index + 1}"), proof.replace("=\n", "=\n\n", 1)):
        with pytest.raises(c2sp.Wrong):
            c2sp.check_proof(changed, entry, key)
    with pytest.raises(c2sp.Wrong):
        c2sp.check_proof(proof, entry + b" ", key)


def test_no_byte_of_a_cosignature_can_be_another(vault, witness):
    vault.run("witness", "add", witness.key, "--url", witness.url)
    assert vault.json("witness", "ask")["ok"]
    path = vault.folder / "log" / "checkpoint"
    good = path.read_bytes()
    line = good.rindex("\u2014".encode())
    assert vault.json("verify")["ok"]
    for at in range(line, len(good), 11):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1:])
        result = vault.run("verify", "--json", code=1)
        assert "log/checkpoint" in result.stdout
    path.write_bytes(good)
    assert vault.json("verify")["ok"]


def test_a_witness_that_saw_another_history(vault, witness):
    vault.run("witness", "add", witness.key, "--url", witness.url + "/")
    shutil.copytree(vault.folder, vault.base / "old")
    grow(vault, 2, 20)
    assert vault.json("witness", "ask")["ok"]
    shutil.rmtree(vault.folder)
    shutil.copytree(vault.base / "old", vault.folder)
    refused = vault.run("status", code=3)  # this machine remembers, too
    assert "rolled back" in refused.stderr and "checkpoint --accept" in refused.stderr
    vault.run("checkpoint", "--accept")
    vault.run("status")
    asked = vault.json("witness", "ask", code=1)["asked"][0]
    assert not asked["cosigned"] and "taken away" in asked["why"]
    grow(vault, 6, 30)  # longer again, but another history
    asked = vault.json("witness", "ask", code=1)["asked"][0]
    assert not asked["cosigned"] and witness.asked[-1][1] == 422


def test_a_witness_that_lies(vault, witness):
    vault.run("witness", "add", witness.key, "--url", witness.url)
    stranger = c2sp.Signer(witness.key.name, c2sp.COSIGNATURE, b"somebody else")
    text = log_of(vault).checkpoint().note.text
    for spoil in (lambda answer: "", lambda answer: answer.replace("a", "b"), lambda answer: "x" * 100000,
                  lambda answer: stranger.line(text, 5), lambda answer: witness.signer.line(text + "more\n", 5)):
        before = (vault.folder / "log" / "checkpoint").read_bytes()
        witness.seen.clear()
        witness.spoil = spoil
        asked = vault.json("witness", "ask", code=1)["asked"][0]
        assert not asked["cosigned"] and asked["why"]
        assert (vault.folder / "log" / "checkpoint").read_bytes() == before


def test_a_witness_that_is_not_there(vault, witness):
    vault.run("witness", "add", witness.key, "--url", witness.url + "/other")
    assert "404" in vault.json("witness", "ask", code=1)["asked"][0]["why"]


def test_by_file(vault):
    """Request, cosignature and answer as files; the witness is another person with the same command."""
    other = Vault(vault.base, init=False, name="other")
    other.home = vault.base / "home-of-witness"
    other.home.mkdir()
    other.key("w")
    key = c2sp.Key.parse(other.run("witness", "key", "w.example", "--key", "w").stdout.strip())
    assert key.kind == c2sp.COSIGNATURE
    vault.run("witness", "add", key)
    vault.run("witness", "request", "-o", "request")
    request = vault.root / "request"
    log_key = log_of(vault).key
    other.run("witness", "cosign", request, "--name", "w.example", "--key", "w", code=2)  # whose log is this?
    other.run("witness", "cosign", request, "--name", "w.example", "--key", "w", "--log", log_key, "-o", "answer")
    assert vault.json("witness", "take", other.root / "answer")["added"] == 1
    assert "w.example" in log_of(vault).checkpoint().note.signed_by([key])
    again = other.run("witness", "cosign", request, "--name", "w.example", "--key", "w", code=2)
    assert "5" in again.stderr
    grow(vault, 3, 40)
    vault.run("witness", "request", "--old", "5", "-o", "request")
    other.run("witness", "cosign", request, "--name", "w.example", "--key", "w", "-o", "answer")
    assert vault.json("witness", "take", other.root / "answer")["ok"]
    assert vault.json("witness", "take", other.root / "answer", code=1)["added"] == 0


def test_being_a_witness_of_somebody_elses_log(vault):
    """Requests made by the other implementation, honest and not."""
    log = c2sp.Signer("example.org/log", c2sp.ED25519, b"a log")
    vault.key("w")
    entries = [f"entry {i}".encode() for i in range(40)]

    def ask(request, code=0, key=log.key):
        path = vault.write("request", request)
        return vault.run("witness", "cosign", path, "--name", "w.example", "--key", "w", "--log", key, "--json",
                         "--state", vault.base / "state", code=code)

    witness = c2sp.Key.parse(vault.json("witness", "key", "w.example", "--key", "w")["key"])
    for old, new in ((0, 7), (7, 7), (7, 8), (8, 33), (33, 40)):
        request = c2sp.make_request(old, entries[:new], log)
        line = json.loads(ask(request).stdout)["cosignature"]
        note = c2sp.Note(request.split("\n\n", 1)[1] + line)
        assert "w.example" in note.signed_by([witness])
    ask(c2sp.make_request(33, entries, log), code=2)  # it stands at 40
    split = c2sp.make_request(40, [b"another"] + entries[1:] + [b"new"], log)
    ask(split, code=3)
    ask(c2sp.make_request(40, [b"another"] + entries[1:], log), code=3)
    liar = c2sp.Signer("example.org/log", c2sp.ED25519, b"not the log")
    ask(c2sp.make_request(40, entries + [b"new"], liar), code=3)
    ask(c2sp.make_request(40, entries + [b"new"], liar), code=2, key=liar.key)
    ask("old 40\n\nno note\n", code=3)
    ask(c2sp.make_request(40, entries + [b"new"], log))


def test_only_admins_name_witnesses(vault, witness):
    vault.contributor("bob")
    refused = vault.run("witness", "add", witness.key, "--key", "bob", code=1)
    assert "refused" in refused.stderr
    assert vault.json("witness", "list")["witnesses"] == []
    log_key = log_of(vault).key
    vault.run("witness", "add", log_key, code=2)
    vault.run("witness", "add", "no key", code=2)
