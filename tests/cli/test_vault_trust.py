"""Who may write what into a vault: every refusal says its reason, stands in the log, and comes before data are read."""
import base64
import json
import secrets
import subprocess

import pytest

from vault_helper import Vault

START = 1782864000  # 2026-07-01
DAY = 86400


@pytest.fixture
def vault(tmp_path):
    vault = Vault(tmp_path, epoch=START)
    vault.source("web")
    vault.source("news")
    vault.write("train.csv", "a,b\n1,2\n3,4\n")
    return vault


def refused(vault, *words, why):
    """Refused for this reason, written down, and nothing else has changed."""
    before = sorted(path for path in (vault.folder / "objects").rglob("*"))
    size = len(vault.log())
    result = vault.run(*words, code=1)
    assert f"refused: {why}" in result.stderr, result.stderr
    log = vault.log()
    assert len(log) == size + 1 and log[-1]["type"] == "refused"
    assert why in json.dumps(log[-1])
    assert sorted(path for path in (vault.folder / "objects").rglob("*")) == before
    return result


def forge(vault, key, entry_type, **members):
    """An entry as no command of ours writes it, signed by hand, put at the end of the log."""
    pytest.importorskip("cryptography")
    import c2sp
    log = vault.folder / "log"
    origin, size, _ = (log / "head").read_text().split("\n")[:3]
    line = {"type": entry_type, "vault": origin, "time": "2026-07-01T00:00:00Z", "nonce": secrets.token_hex(16), **members}
    message = vault.base / "message"
    message.write_text(json.dumps(line, separators=(",", ":")) + "\n")
    subprocess.run(["ssh-keygen", "-Y", "sign", "-f", vault.home / "keys" / key, "-n", "bezoar-vault", message],
                   check=True, capture_output=True)
    signature = message.with_name("message.sig")
    entry = message.read_bytes() + signature.read_bytes()
    signature.unlink()
    tiles, size = log / "tile", int(size)
    entries = (tiles / "entries" / "000.p" / str(size)).read_bytes() + len(entry).to_bytes(2, "big") + entry
    hashes = (tiles / "0" / "000.p" / str(size)).read_bytes() + c2sp.leaf_hash(entry)
    (tiles / "entries" / "000.p" / str(size + 1)).write_bytes(entries)
    (tiles / "0" / "000.p" / str(size + 1)).write_bytes(hashes)
    root = c2sp.tree_hash([hashes[i:i + 32] for i in range(0, len(hashes), 32)])
    (log / "head").write_text(f"{origin}\n{size + 1}\n{base64.b64encode(root).decode()}\n")


def add(vault, key, path="train.csv", source="web"):
    return ["add", path, "--source", source, "--key", key]


def test_unknown_key(vault):
    vault.key("mallory")
    refused(vault, *add(vault, "mallory"), why="unknown key")


def test_validity(vault):
    vault.contributor("alice", "--valid-after", "2026-07-03", "--valid-before", "2026-07-05T12:00:00Z")
    refused(vault, *add(vault, "alice"), why="not yet valid: the key is trusted from 2026-07-03T00:00:00Z on")
    vault.tick(3 * DAY)
    vault.add_commit("train.csv", key="alice")
    vault.tick(2 * DAY)
    refused(vault, *add(vault, "alice"), why="expired: the key was trusted until 2026-07-05T12:00:00Z")
    states = {key["principal"]: key["state"] for key in vault.json("trust", "list")["keys"]}
    assert states == {"admin": "valid", "alice": "expired"}
    assert vault.json("trust", "list", "--at", "2026-07-02")["keys"][1]["state"] == "not yet valid"
    assert vault.json("trust", "list", "--at", "2026-07-04")["keys"][1]["state"] == "valid"


def test_revoked(vault):
    vault.contributor("alice")
    vault.add_commit("train.csv", key="alice")
    vault.tick(DAY)
    vault.run("trust", "revoke", "alice", "--since", "2026-07-01T06:00:00Z", "--reason", "laptop stolen")
    refused(vault, *add(vault, "alice"), why="revoked since 2026-07-01T06:00:00Z: laptop stolen")
    # not even with an older date, nor by trusting it anew
    vault.epoch = START + 60
    refused(vault, *add(vault, "alice"), why="revoked since")
    vault.tick(2 * DAY)
    refused(vault, "trust", "add", "alice", "alice", why="the key was revoked, and is never trusted again")


def test_reach(vault):
    vault.contributor("alice", "--path", "news/*", sources=["news"])
    vault.write("news/2026/a.csv", "x\n1\n")
    refused(vault, *add(vault, "alice", "news/2026/a.csv", "web"), why="wrong source")
    refused(vault, *add(vault, "alice", "train.csv", "news"), why="wrong path")
    vault.run(*add(vault, "alice", "news/2026/a.csv", "news"))


def test_roles(vault):
    vault.contributor("reader", roles=["read"])
    vault.contributor("writer", roles=["contribute"])
    vault.contributor("committer", roles=["commit"])
    refused(vault, *add(vault, "reader"), why="wrong role: this needs contribute, and the key has read")
    refused(vault, *add(vault, "committer"), why="wrong role")
    vault.run(*add(vault, "writer"))
    refused(vault, "commit", "-m", "x", "--key", "writer", why="wrong role: this needs commit")
    vault.run("commit", "-m", "x", "--key", "committer")


def test_unknown_source(vault):
    vault.contributor("alice")
    result = vault.run(*add(vault, "alice", source="nowhere"), code=1)
    assert "refused" in result.stderr and "nowhere" in result.stderr
    assert vault.log()[-1]["type"] == "refused"
    assert vault.run("add", "train.csv", "--key", "alice", code=2).stderr.count("--source")


def test_only_admins_rule(vault):
    vault.contributor("alice")
    policy = vault.write("policy.yaml", "signatures: 1\n")
    key = vault.key("mallory")
    for words in (["trust", "add", "mallory", key, "--role", "admin"], ["source", "add", "mine"],
                  ["policy", "set", policy], ["trust", "revoke", "admin", "--since", "now"]):
        refused(vault, *words, "--key", "alice", why="is the last admin" if "revoke" in words else "wrong role")
    refused(vault, "trust", "add", "alice", "alice", "--role", "admin", "--key", "alice",
            why="no key may state its own roles")
    refused(vault, "trust", "add", "admin", "default", "--role", "admin", why="no key may state its own roles")


def test_two_signatures(vault):
    vault.contributor("alice")
    vault.contributor("bob")
    vault.key("alice2")
    vault.run("trust", "add", "alice", "alice2", "--role", "commit")
    vault.run("policy", "set", vault.write("policy.yaml", "signatures: 2\n"))
    vault.run(*add(vault, "alice"))
    answer = vault.json("commit", "-m", "first", "--key", "alice")
    assert answer["pending"] and answer["needed"] == 2
    vault.run("checkout", "train.csv", "-o", vault.base / "no", code=2)
    again = vault.json("commit", "-m", "first", "--key", "alice2")  # the same principal does not count twice
    assert again.get("pending")
    done = vault.json("commit", "-m", "first", "--key", "bob")
    assert done["datasets"][0]["version"] == 1


def test_readers(vault):
    vault.contributor("alice")
    vault.contributor("reader", roles=["read"])
    vault.key("mallory")
    vault.add_commit("train.csv", key="alice")
    vault.checkout("train.csv", "one")
    before = len(vault.log())
    vault.run("blame", "train.csv", "0")
    vault.run("diff", "train.csv@1", "train.csv")
    assert len(vault.log()) == before  # nobody has to be known: a look leaves nothing
    vault.run("policy", "set", vault.write("policy.yaml", "require_reader: true\n"))
    for words, why in ((["--as", "mallory"], "unknown key"), ([], "unsigned"), (["--as", "alice"], "wrong role")):
        strangers = {} if words else {"BEZOAR_HOME": vault.base / "no keys"}
        result = vault.run("checkout", "train.csv", "-o", vault.base / "no", *words, code=1, env=strangers)
        assert f"refused: {why}" in result.stderr
        assert not (vault.base / "no").exists()
        for look in (["blame", "train.csv", "0"], ["diff", "train.csv@1", "train.csv"]):
            result = vault.run(*look, *words, code=1, env=strangers)
            assert f"refused: {why}" in result.stderr and "1,2" not in result.stdout
    for look in (["blame", "train.csv", "0"], ["diff", "train.csv@1", "train.csv"]):
        vault.run(*look, "--as", "reader")
        assert (vault.log()[-1]["entry"]["op"], vault.log()[-1]["by"]) == (look[0], "reader")
    assert vault.checkout("train.csv", "two", "--as", "reader") == b"a,b\n1,2\n3,4\n"


def test_sources_by_the_standards(vault):
    fields = {"source": {"title": "Census", "issuer": [{"name": "Bureau", "address": ["1 Main St"]}]},
              "use": {"classification": [{"regulation": {"code": "GDPR"}, "evaluated": True}]}}
    file = vault.write("census.json", json.dumps(fields))
    answer = vault.json("source", "add", "census", "--from-file", file, "--uri", "https://example.org/c", "--geography",
                        "DE", "--geography", "FR", "--method", "survey", "--date", "2026-05-01", "--description",
                        "people", "--purpose", "research", "--collected-from", "2025-01-01", "--collected-to", "2025-12-31")
    assert answer["missing"] == []
    shown = vault.json("source", "show", "census")["fields"]
    assert shown["source"]["issuer"] == fields["source"]["issuer"] and shown["source"]["version"] == "1.0.0"
    assert shown["provenance"]["origin-geography"] == [{"country": "DE"}, {"country": "FR"}]
    assert shown["provenance"]["generation-period"] == {"start": "2025-01-01", "end": "2025-12-31"}
    assert [source["id"] for source in vault.json("source", "list")["sources"]] == ["web", "news", "census"]
    file.write_text('{"source": {"publisher": "x"}}')
    assert "source.publisher is no field" in vault.run("source", "add", "x", "--from-file", file, code=3).stderr
    assert "no such source" in vault.run("source", "show", "y", code=2).stderr


def test_policy(vault):
    text = "signatures: 2\nrequire_scan: true\nscan_rules: [BZ-D001]\ndelay: 2h\n"
    vault.run("policy", "set", vault.write("policy.yaml", text))
    shown = vault.json("policy", "show")
    assert shown["yaml"] == text
    assert shown["policy"] == {"signatures": 2, "require_source": True, "require_reader": False, "require_scan": True,
                               "scan_fail_on": "error", "scan_rules": ["BZ-D001"], "delay_seconds": 7200}
    wrong = vault.write("policy.yaml", "signatures: 2\nsignature: 1\n")
    result = vault.run("policy", "set", wrong, code=3)
    assert "policy.yaml:2" in result.stderr and "unknown key signature" in result.stderr
    assert vault.json("policy", "show") == shown


def test_no_entry_about_trust_is_dated_ahead(vault):
    vault.contributor("alice", "--valid-before", "2100-01-01")
    vault.epoch = 253370764800  # 9999
    result = vault.run("source", "add", "later", "--uri", "https://example.org/later", code=1)
    assert "more than a day ahead of this machine's clock" in result.stderr
    vault.epoch = START + DAY
    assert [source["id"] for source in vault.json("source", "list")["sources"]] == ["web", "news"]
    vault.add_commit("train.csv", key="alice")


def test_paths_bind_pins_and_models(vault):
    vault.contributor("alice")
    vault.contributor("nina", "--path", "news/*", roles=["commit"])
    vault.add_commit("train.csv", key="alice")
    vault.add_commit("news/a.csv", "x\n1\n", key="alice")
    vault.run("pin", "train.csv@1", "--reason", "legal hold")
    refused(vault, "unpin", "train.csv@1", "--reason", "over", "--key", "nina", why="wrong path")
    refused(vault, "pin", "train.csv", "--reason", "mine", "--key", "nina", why="wrong path")
    model = vault.write("model.bin", "weights")
    refused(vault, "model", "add", model, "--trained-on", "news/a.csv@1", "--trained-on", "train.csv@1", "--key", "nina",
            why="wrong path")
    vault.run("pin", "news/a.csv", "--reason", "mine", "--key", "nina")
    vault.run("unpin", "news/a.csv", "--reason", "over", "--key", "nina")
    vault.run("model", "add", model, "--trained-on", "news/a.csv@1", "--key", "nina")
    kept = [entry for entry in vault.log() if entry["type"] in ("pin", "unpin", "model")]
    assert len(kept) == 4 and not any(entry["effect"] for entry in kept)


@pytest.mark.parametrize("kind", ["pin", "unpin", "model"])
def test_paths_bind_entries_that_others_made(vault, kind):
    """Signed by hand: the log is judged as what it says, whoever wrote it."""
    vault.contributor("nina", "--path", "news/*", roles=["commit"])
    vault.add_commit("train.csv")
    more = {"name": "m", "sha256": "0" * 64, "kind": "file", "trained_on": [{"dataset": "train.csv", "version": 1}]} \
        if kind == "model" else {"what": "train.csv@1", "reason": "mine"}
    forge(vault, "nina", kind, **more)
    assert "wrong path" in json.dumps(vault.log()[-1])


def test_a_model_without_a_digest_says_nothing(vault):
    vault.add_commit("train.csv")
    forge(vault, "default", "model", name="m", sha256="\x1b]0;x\x07", kind="file",
          trained_on=[{"dataset": "train.csv", "version": 1}])
    assert "is no digest" in json.dumps(vault.log()[-1])
    assert "\x1b" not in vault.run("model", "list").stdout + vault.run("impact", "web").stdout
