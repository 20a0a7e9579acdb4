"""A proof is of a version: the commit that took the submission in is shown with it, and who signed either. The logs here
are made by hand, as somebody would who can append what he likes to one: nothing but what is shown can be believed."""
import base64
import hashlib
import json
import shutil
import subprocess

import pytest

from c2sp import ED25519, Signer, Wrong, leaf_hash, tree_hash
from vault_helper import Vault
from verify_row_proof import verify

ABSENT = "ab" * 32
EMPTY = hashlib.sha256(b"BZTS\0").hexdigest()

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="there is no ssh-keygen to sign entries with")


@pytest.fixture(scope="module")
def vault(tmp_path_factory):
    v = Vault(tmp_path_factory.mktemp("proof-commit"))
    v.source("web")
    for name in ("alice", "bob"):
        v.contributor(name, sources=["web"])
    v.key("eve")  # whom nobody knows
    v.allowed = v.base / "allowed"
    v.allowed.write_text(v.run("trust", "list", "--allowed-signers").stdout)
    return v


def inclusion(index, hashes):
    if len(hashes) == 1:
        return []
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if index < half:
        return inclusion(index, hashes[:half]) + [tree_hash(hashes[half:])]
    return inclusion(index - half, hashes[half:]) + [tree_hash(hashes[:half])]


class HandMade:
    """A log of entries that anybody signed; its key signs whatever is in it."""

    def __init__(self, vault):
        self.vault, self.signer, self.entries = vault, Signer("bezoar-vault/0123456789abcdef", ED25519, b"a log"), []
        self.key = self.signer.key

    def append(self, by, kind, **members):
        """Its index and its id."""
        line = json.dumps({"type": kind, "vault": self.key.name, "time": "2026-03-01T12:00:00Z",
                           "nonce": f"{len(self.entries):032x}", **members}, separators=(",", ":")).encode() + b"\n"
        signed = subprocess.run(["ssh-keygen", "-Y", "sign", "-q", "-f", self.vault.home / "keys" / by, "-n",
                                 "bezoar-vault"], input=line, capture_output=True, check=True).stdout
        self.entries.append(line + signed)
        return len(self.entries) - 1, hashlib.sha256(line).hexdigest()

    def submission(self, by, dataset="train.csv"):
        return self.append(by, "submission", dataset=dataset, rows=EMPTY, sorted=EMPTY, n_rows=0)

    def commit(self, by, submission, name="train.csv", version=2):
        return self.append(by, "commit", message="", datasets=[
            {"name": "other.csv", "version": 1, "submission": "00" * 32},
            {"name": name, "version": version, "submission": submission}])

    def place(self, index):
        path = inclusion(index, [leaf_hash(entry) for entry in self.entries])
        return (f"c2sp.org/tlog-proof@v1\nindex {index}\n" +
                "".join(base64.b64encode(h).decode() + "\n" for h in path) + "\n").encode()

    def checkpoint(self):
        root = tree_hash([leaf_hash(entry) for entry in self.entries])
        text = f"{self.key.name}\n{len(self.entries)}\n{base64.b64encode(root).decode()}\n"
        return (text + "\n" + self.signer.line(text)).encode()

    def proof(self, submission, commit, place=None, parts=4, more=0):
        """That a digest is not in the empty version that the submission is of. Shares the checkpoint, no hashes."""
        out = b"bezoar-row-proof/v1\nclaim absent\ndigest " + base64.b64encode(bytes.fromhex(ABSENT)) + b"\ntop 0\n"
        for name, part in [("submission", self.entries[submission]), ("log", self.place(submission) + self.checkpoint()),
                           ("commit", self.entries[commit]),
                           ("place", self.place(commit) if place is None else place)][:parts]:
            if name == "place":
                out += f"from {len(self.place(submission)) + more}\n".encode()
            out += f"{name} {len(part)}\n".encode() + part
        return out + b"end " + base64.b64encode(hashlib.sha256(out).digest()) + b"\n"

    def check(self, raw, *more, code=0):
        path = self.vault.base / "a.proof"
        path.write_bytes(raw)
        return self.vault.json("verify-proof", path, "--log-key", self.key, *more, code=code)

    def refused(self, raw):
        """By both checkers; why."""
        with pytest.raises(Wrong):
            verify(raw, str(self.key))
        return self.check(raw, code=1)["why"]


def fingerprint(vault, name):
    public = vault.home / "keys" / f"{name}.pub"
    return subprocess.run(["ssh-keygen", "-l", "-f", public], capture_output=True, text=True,
                          check=True).stdout.split()[1]


def test_version_commit_and_signers_are_told(vault):
    log = HandMade(vault)
    index, submission = log.submission("alice")
    commit_index, commit = log.commit("bob", submission)
    raw = log.proof(index, commit_index)
    answer, found = log.check(raw, "--allowed-signers", vault.allowed), verify(raw, str(log.key))
    assert (answer["dataset"], answer["version"], answer["commit"]) == ("train.csv", 2, commit)
    assert (found["version"], found["commit"], found["commit_index"]) == (2, commit, commit_index)
    assert answer["contributors"] == found["signers"] == [fingerprint(vault, "alice")]
    assert answer["committers"] == found["committers"] == [fingerprint(vault, "bob")]
    assert answer["allowed"] is True and log.check(raw)["allowed"] is False
    told = vault.run("verify-proof", vault.base / "a.proof", "--log-key", log.key).stdout
    for word in ("train.csv@2", commit, "later versions", fingerprint(vault, "alice"), fingerprint(vault, "bob"),
                 "--allowed-signers"):
        assert word in told


def test_a_submission_that_nobody_committed_is_no_version(vault):
    log = HandMade(vault)
    other = log.commit("bob", log.submission("alice")[1])[0]
    before = log.commit("bob", "11" * 32)[0]
    index, submission = log.submission("eve")
    log.commit("eve", submission, name="elsewhere.csv")
    log.commit("eve", submission, version=0)
    log.append("eve", "access", datasets=[{"name": "train.csv", "version": 2, "submission": submission}])
    for commit in range(index + 1, len(log.entries)):
        assert "commit" in log.refused(log.proof(index, commit))
    assert "before the submission" in log.refused(log.proof(index, other))
    assert "before the submission" in log.refused(log.proof(index, before))
    late = log.commit("bob", log.submission("alice")[1])[0]
    assert "did not take in" in log.refused(log.proof(index, late))
    for parts in (2, 3):
        assert "malformed" in log.refused(log.proof(index, late, parts=parts))


def test_a_commit_that_is_not_in_the_log(vault):
    log = HandMade(vault)
    index, submission = log.submission("alice")
    log.commit("bob", "22" * 32)
    elsewhere = HandMade(vault)
    elsewhere.entries = log.entries[:1]
    made = elsewhere.commit("bob", submission)[0]
    place = log.place(made)
    log.entries.append(elsewhere.entries[made])  # for proof() alone; the place is that of another entry
    raw = log.proof(index, 2, place=place)
    assert log.refused(raw)
    good = log.proof(index, 2)
    assert verify(good, str(log.key)) and log.check(good)["ok"]
    for place in (b"", log.place(2) + log.checkpoint(), log.place(2)[:-1], log.place(0), log.place(2) + b"\n"):
        assert log.refused(log.proof(index, 2, place=place))
    whole = log.place(2) + log.checkpoint()
    for more in (1, 10, len(log.checkpoint()), 10 ** 6):  # a checkpoint of its own, be it the same
        assert log.refused(log.proof(index, 2, place=whole[:len(log.place(2)) + more], more=more))
    assert log.refused(log.proof(index, 2, more=-1))


def test_signers_must_be_allowed(vault):
    """The log's key signs what eve appended, too: only the keys tell."""
    log, proofs = HandMade(vault), {}
    for contributor, committer in (("eve", "eve"), ("eve", "bob"), ("alice", "eve"), ("alice", "bob")):
        index, submission = log.submission(contributor)
        commit = log.commit(committer, submission)[0]
        proofs[contributor, committer] = index, commit
    for names, places in proofs.items():
        raw = log.proof(*places)
        assert log.check(raw)["committers"] == [fingerprint(vault, names[1])]
        answer = log.check(raw, "--allowed-signers", vault.allowed, code="eve" in names)
        assert answer["ok"] is ("eve" not in names)
        if "eve" in names:
            assert fingerprint(vault, "eve") in answer["why"]
    public = (vault.home / "keys" / "alice.pub").read_text().split()
    bob = (vault.home / "keys" / "bob.pub").read_text().split()
    some = vault.base / "some"
    for validity, code in (("", 0), ('valid-before="20260228" ', 1), ('valid-after="20260302" ', 1),
                           ('valid-after="20260228",valid-before="20260302" ', 0)):
        some.write_text(f"alice {validity}{public[0]} {public[1]}\nbob {bob[0]} {bob[1]}\n")
        assert log.check(raw, "--allowed-signers", some, code=code)["ok"] is (code == 0)
    for content in (None, "no signer at all\n"):
        if content is None:
            some.unlink()
        else:
            some.write_text(content)
        vault.run("verify-proof", vault.base / "a.proof", "--log-key", log.key, "--allowed-signers", some,
                  code=2 if content else 3)
