"""Keys and signatures of the vault beside OpenSSH: what ssh-keygen makes is read, what is made here ssh-keygen reads."""
import base64
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from vault_helper import Vault

KEYGEN = shutil.which("ssh-keygen")
pytestmark = pytest.mark.skipif(not KEYGEN, reason="ssh-keygen is not installed")


def keygen(*words, code=0, **more):
    result = subprocess.run([KEYGEN, *map(str, words)], capture_output=True, check=False, **more)
    assert result.returncode == code, (words, result.stdout, result.stderr)
    return result.stdout


def make_key(path, *more, password=""):
    keygen("-q", "-t", "ed25519", "-N", password, "-C", "carol@home", "-f", path, *more)
    return path


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path)


def fingerprint_of(public):
    return keygen("-l", "-f", public).split()[1].decode()


def entries_with_signatures(vault, count):
    """Lines and armored signatures of the log's entries, from its tiles."""
    tiles = sorted((vault.folder / "log" / "tile" / "entries").rglob("*"))
    data = max((path for path in tiles if path.is_file()), key=lambda path: path.stat().st_size).read_bytes()
    at, out = 0, []
    while at < len(data):
        length = int.from_bytes(data[at:at + 2], "big")
        entry = data[at + 2:at + 2 + length]
        line, _, rest = entry.partition(b"\n")
        out.append((line + b"\n", rest))
        at += 2 + length
    assert len(out) == count
    return out


def test_new_keys_are_openssh_keys(vault):
    answer = vault.json("key", "new", "alice")
    private = vault.home / "keys" / "alice"
    assert private.stat().st_mode & 0o777 == 0o600
    assert keygen("-y", "-f", private).decode().split()[:2] == answer["public"].split()
    assert fingerprint_of(private.with_suffix(".pub")) == answer["fingerprint"]
    assert "is there already" in vault.run("key", "new", "alice", code=2).stderr
    assert "is no name" in vault.run("key", "new", "../alice", code=2).stderr
    listed = vault.json("key", "list")["keys"]
    assert {key["name"] for key in listed} == {"default", "alice"} and all(key["usable"] for key in listed)


def test_pkcs8_keys_with_a_passphrase(vault):
    secret = {"SECRET": "correct horse"}
    vault.run("key", "new", "sealed", "--pkcs8", "--password-env", "SECRET", env=secret)
    text = (vault.home / "keys" / "sealed").read_text()
    assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    vault.run("trust", "add", "sealed", "sealed", "--role", "admin")
    assert "none was given" in vault.run("source", "add", "web", "--key", "sealed", code=2).stderr
    wrong = {"SECRET": "battery staple"}
    assert "password is wrong" in vault.run("source", "add", "web", "--key", "sealed", "--password-env", "SECRET",
                                            env=wrong, code=2).stderr
    vault.run("source", "add", "web", "--key", "sealed", "--password-env", "SECRET", env=secret)
    assert "goes with --pkcs8" in vault.run("key", "new", "other", "--password-env", "SECRET", env=secret,
                                            code=2).stderr


def test_openssh_keys_sign_entries(vault, tmp_path):
    key = make_key(tmp_path / "id_ed25519")
    vault.run("trust", "add", "carol", f"{key}.pub", "--role", "admin")
    vault.run("source", "add", "web", "--key", key)
    assert [entry["by"] for entry in vault.log()] == ["admin", "admin", "carol"]
    vault.run("source", "add", "two", "--key", f"{key}.pub")  # the private half lies beside it
    assert vault.log()[-1]["by"] == "carol"
    os.chmod(key, 0o644)
    assert "read by others" in vault.run("source", "add", "three", "--key", key, code=2).stderr
    assert len(vault.log()) == 4


def test_import(vault, tmp_path):
    key = make_key(tmp_path / "id")
    answer = vault.json("key", "import", key, "--name", "carol")
    assert answer["fingerprint"] == fingerprint_of(f"{key}.pub")
    assert (vault.home / "keys" / "carol").read_bytes() == key.read_bytes()
    sealed = make_key(tmp_path / "sealed", password="secret")
    assert "ssh-agent" in vault.run("key", "import", sealed, code=3).stderr
    assert not (vault.home / "keys" / "sealed").exists()


def test_ssh_keygen_verifies_entries(vault, tmp_path):
    """With the file of allowed signers that the vault itself writes."""
    vault.contributor("alice")
    vault.source("web")
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(vault.run("trust", "list", "--allowed-signers").stdout)
    for number, (line, armor) in enumerate(entries_with_signatures(vault, 3)):
        signature = tmp_path / f"{number}.sig"
        signature.write_bytes(armor)
        out = keygen("-Y", "verify", "-f", allowed, "-I", "admin", "-n", "bezoar-vault", "-s", signature, input=line)
        assert out.startswith(b'Good "bezoar-vault" signature for admin')
        keygen("-Y", "verify", "-f", allowed, "-I", "alice", "-n", "bezoar-vault", "-s", signature, input=line, code=255)
        keygen("-Y", "verify", "-f", allowed, "-I", "admin", "-n", "file", "-s", signature, input=line, code=255)
        changed = line.replace(b'"time":"20', b'"time":"21')
        keygen("-Y", "verify", "-f", allowed, "-I", "admin", "-n", "bezoar-vault", "-s", signature, input=changed,
               code=255)


def test_revoked_keys_in_allowed_signers_end_before(vault, tmp_path):
    vault.contributor("alice", "--role", "admin", "--valid-after", "2020-01-01")
    vault.source("web", "--key", "alice")
    vault.run("trust", "revoke", "alice", "--since", "2021-06-01T12:00:00Z", "--reason", "found out")
    text = vault.run("trust", "list", "--allowed-signers").stdout
    line = next(line for line in text.splitlines() if line.startswith("alice"))
    assert 'valid-after="20200101000000Z"' in line and 'valid-before="20210601115959Z"' in line
    allowed, signature = tmp_path / "allowed", tmp_path / "sig"
    allowed.write_text(text)
    body, armor = entries_with_signatures(vault, 4)[2]
    signature.write_bytes(armor)
    words = ["-Y", "verify", "-f", allowed, "-I", "alice", "-n", "bezoar-vault", "-s", signature]
    keygen(*words, "-Overify-time=20210601115900Z", input=body)
    keygen(*words, "-Overify-time=20210601120100Z", input=body, code=255)


def test_allowed_signers_come_in(vault, tmp_path):
    one, two = make_key(tmp_path / "one"), make_key(tmp_path / "two")
    first, second = (" ".join((tmp_path / f"{n}.pub").read_text().split()[:2]) for n in ("one", "two"))
    file = tmp_path / "allowed"
    file.write_text(f"# who signs here\n\ncarol@home {first}\n"
                    f'dave namespaces="git,bezoar-vault",valid-after="20260101",valid-before="202701011200Z" {second} d\n')
    trusted = vault.json("trust", "add", "--allowed-signers", file, "--role", "contribute")["trusted"]
    assert [key["principal"] for key in trusted] == ["carol@home", "dave"]
    assert trusted[1]["valid_after"] == "2026-01-01T00:00:00Z" and trusted[1]["valid_before"] == "2027-01-01T12:00:00Z"
    assert trusted[0]["key"] == fingerprint_of(f"{one}.pub") and trusted[1]["key"] == fingerprint_of(f"{two}.pub")
    size = len(vault.log())
    for line, why in [(f"*@home {first}", "no single principal"), (f"a,b {first}", "no single principal"),
                      (f'x namespaces="git" {first}', "other namespaces"), (f"x cert-authority {first}", "authority"),
                      (f"x verify-required {first}", "not known"), ("x ssh-ed25519 AAAA", "malformed"),
                      (f'x valid-after="soon" {first}', "as in 20260131")]:
        file.write_text(f"fine {second}\n{line}\n")
        result = vault.run("trust", "add", "--allowed-signers", file, code=3)
        assert why in result.stderr and ":2" in result.stderr, result.stderr
    vault.run("trust", "revoke", fingerprint_of(f"{two}.pub"), "--since", "now")
    file.write_text(f"fine {first}\ngone {second}\n")
    assert "revoked" in vault.run("trust", "add", "--allowed-signers", file, code=1).stderr
    assert len(vault.log()) == size + 1  # all or nothing


@pytest.fixture
def agent(tmp_path):
    """A real ssh-agent, ended by its own number."""
    binary = shutil.which("ssh-agent")
    if not binary or not shutil.which("ssh-add"):
        pytest.skip("ssh-agent is not installed")
    socket = tmp_path / "agent"
    process = subprocess.Popen([binary, "-D", "-a", str(socket)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        if socket.exists():
            break
        time.sleep(0.05)
    yield {"SSH_AUTH_SOCK": str(socket)}
    process.send_signal(signal.SIGTERM)
    process.wait()


def add_to_agent(agent, key, password, tmp_path):
    ask = tmp_path / "ask"
    ask.write_text(f"#!/bin/sh\necho {password}\n")
    ask.chmod(0o700)
    env = {**os.environ, **agent, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def test_agent_signs(vault, agent, tmp_path):
    key = make_key(tmp_path / "sealed", password="secret")
    ecdsa = tmp_path / "ecdsa"
    keygen("-q", "-t", "ecdsa", "-N", "", "-f", ecdsa)
    fingerprint = fingerprint_of(f"{key}.pub")
    vault.run("trust", "add", "carol", f"{key}.pub", "--role", "admin")
    assert "ssh-add" in vault.run("source", "add", "web", "--key", key, env=agent, code=3).stderr
    add_to_agent(agent, key, "secret", tmp_path)
    add_to_agent(agent, ecdsa, "", tmp_path)
    public = tmp_path / "alone.pub"
    public.write_text((tmp_path / "sealed.pub").read_text())
    for number, name in enumerate([key, fingerprint, public]):  # the encrypted file, the fingerprint, the public half
        vault.run("source", "add", f"web{number}", "--key", name, env=agent)
        assert vault.log()[-1]["by"] == "carol"
    listed = {k["fingerprint"]: k for k in vault.json("key", "list", env=agent)["keys"] if k["where"] == "agent"}
    assert listed[fingerprint]["usable"] and listed[fingerprint]["name"] == "carol@home"
    assert not listed[fingerprint_of(f"{ecdsa}.pub")]["usable"]
    refused = vault.run("source", "add", "x", "--key", fingerprint_of(f"{ecdsa}.pub"), env=agent, code=3)
    assert "Ed25519" in refused.stderr
    assert "private half" in vault.run("source", "add", "x", "--key", fingerprint, code=2).stderr


def wire(data):
    return len(data).to_bytes(4, "big") + data


@pytest.mark.parametrize("answer, why", [
    (wire(b"\x0e" + wire(wire(b"ssh-ed25519") + wire(bytes(64)))), "does not hold"),
    (wire(b"\x0e" + wire(wire(b"ssh-rsa") + wire(bytes(64)))), "no Ed25519 signature"),
    (wire(b"\x05"), "refuses to sign"),
    (wire(b"\x0e" + wire(b"")), "no Ed25519 signature"),
    (b"\xff\xff\xff\xff" + bytes(64), "answers with 4294967295 bytes"),
    (b"\0\0\0\x40" + bytes(10), "breaks off"),
    (b"", "does not answer")])
def test_agents_that_lie(vault, tmp_path, answer, why):
    """Whatever says it is an agent: nothing but a signature that holds gets into the log."""
    key = make_key(tmp_path / "sealed", password="secret")
    blob = base64.b64decode((tmp_path / "sealed.pub").read_text().split()[1])
    listing = wire(b"\x0c\0\0\0\x01" + wire(blob) + wire(b"carol"))
    vault.run("trust", "add", "carol", f"{key}.pub", "--role", "admin")
    size = len(vault.log())
    path = tmp_path / "agent"
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()

    def serve():
        while True:
            try:
                talk, _ = server.accept()
            except OSError:
                return
            with talk:
                length = int.from_bytes(talk.recv(4), "big")
                ask = talk.recv(length, socket.MSG_WAITALL)
                talk.sendall(listing if ask[:1] == b"\x0b" else answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        result = vault.call("vault", "source", "add", "web", "--key", key, env={"SSH_AUTH_SOCK": path})
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(10)
    assert result.returncode in (2, 3) and why in result.stderr, result.stderr
    assert len(vault.log()) == size


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_other_kinds_do_not_sign(vault, tmp_path, kind):
    path = tmp_path / kind
    keygen("-q", "-t", kind, "-N", "", "-f", path)
    assert "Ed25519" in vault.run("source", "add", "x", "--key", path, code=3).stderr
    trusted = vault.json("trust", "add", "erin", f"{path}.pub")["trusted"]  # but their signatures can be trusted
    assert trusted[0]["key"] == fingerprint_of(f"{path}.pub")


def test_damaged_private_keys(vault, tmp_path):
    key = make_key(tmp_path / "key")
    text = key.read_text()
    body = base64.b64decode("".join(text.splitlines()[1:-1]))
    for number, changed in enumerate([body[:100], body[:-1], body.replace(b"none", b"aes2", 1), b"", body + b"x",
                                      body[:-40] + bytes([body[-40] ^ 1]) + body[-39:]]):
        broken = tmp_path / f"broken{number}"
        broken.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.b64encode(changed).decode()
                          + "\n-----END OPENSSH PRIVATE KEY-----\n")
        broken.chmod(0o600)
        result = vault.run("source", "add", "x", "--key", broken, code=3)
        assert str(broken) in result.stderr
    assert len(vault.log()) == 1
