"""bezoar model sign and model verify: OpenSSF Model Signing 1.0, alone, with the standard's vectors, and both ways with
the PyPI package model_signing (version 1.1.1 when this was written)."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

VECTORS = ROOT.parent / "shared" / "vectors" / "model-signing"
KEYS = VECTORS / "keys"
PUBLIC, PRIVATE = KEYS / "certificate/signing-key-pub.pem", KEYS / "certificate/signing-key.pem"
PYTHON = os.environ.get("MODEL_SIGNING_PYTHON", sys.executable)  # one that has the package


def openssl(*args, **more):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **more)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A key per curve, made here: tests need no vectors."""
    if not shutil.which("openssl"):
        pytest.skip("the openssl command is not there")
    folder = tmp_path_factory.mktemp("keys")
    for curve in ("P-256", "P-384", "P-521"):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", folder / f"{curve}.pem")
        openssl("pkey", "-in", folder / f"{curve}.pem", "-pubout", "-out", folder / f"{curve}.pub")
    return folder


@pytest.fixture
def vectors():
    if not PUBLIC.exists():
        pytest.skip("../shared/vectors/model-signing is not there")
    return VECTORS / "spec-v1.0"


@pytest.fixture(scope="session")
def package_is_there():
    """The package imports pyOpenSSL without saying so in what it requires."""
    tried = subprocess.run([PYTHON, "-c", "import model_signing.signing, model_signing.verifying"], capture_output=True,
                           text=True, check=False)
    if tried.returncode:
        why = tried.stderr.strip().splitlines()[-1:]
        pytest.skip(f"the package model_signing cannot be used by {PYTHON} (or name one in MODEL_SIGNING_PYTHON): {why}")


@pytest.fixture
def package(tmp_path, package_is_there):
    """Runs a few lines with the package."""

    def run(lines, **values):
        code = "import model_signing as ms\nfrom model_signing import hashing, signing, verifying\n" + lines
        head = "".join(f"{name} = {str(value)!r}\n" for name, value in values.items())
        return subprocess.run([PYTHON, "-c", head + code], capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


@pytest.fixture
def model(tmp_path):
    """A folder with what folders have: nesting, an empty file, names that sort apart, git's files."""
    folder = tmp_path / "model"
    for name, content in {"config.json": "{}", "weights.bin": "w" * 2500, "sub/a.bin": "a", "sub-x": "x",
                          "sub/deep/b.bin": "b", "empty": "", "模型.bin": "u", ".hidden/h": "h",
                          ".git/HEAD": "ref", ".gitattributes": "*", "sub/.gitignore": "kept"}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


SIGNED = ["config.json", "empty", "sub-x", "sub/.gitignore", "sub/a.bin", "sub/deep/b.bin", "weights.bin", "模型.bin",
          ".hidden/h"]


def statement(path):
    bundle = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    return bundle, json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))


def problems(answer):
    return [(p["what"], p["name"]) for p in json.loads(answer.stdout)["problems"]]


# ---- alone -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
def test_sign_and_verify(bezoar, keys, model, curve):
    signed = bezoar("model", "sign", model, "--key", keys / f"{curve}.pem")
    assert signed.returncode == 0, signed.stderr
    verified = bezoar("model", "verify", model, "--key", keys / f"{curve}.pub")
    assert verified.returncode == 0 and ": verified\n" in verified.stdout
    hint = hashlib.sha256((keys / f"{curve}.pub").read_bytes()).hexdigest()
    assert f"key {hint}" in verified.stdout
    other = {"P-256": "P-384", "P-384": "P-521", "P-521": "P-256"}[curve]
    wrong = bezoar("model", "verify", model, "--key", keys / f"{other}.pub")
    assert wrong.returncode == 1 and "another key" in wrong.stdout


def test_what_is_written(bezoar, keys, model):
    """The standard's shape, by its letter."""
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem", "--ignore", "./sub//deep/").returncode == 0
    bundle, said = statement(model / "model.sig")
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://model_signing/signature/v1.0"
    resources = said["predicate"]["resources"]
    names = [r["name"] for r in resources]
    assert names == sorted(set(SIGNED) - {"sub/deep/b.bin"})
    assert all(r["algorithm"] == "sha256" and r["digest"] == hashlib.sha256((model / r["name"]).read_bytes()).hexdigest()
               for r in resources)
    root = hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()
    assert said["subject"] == [{"name": "model", "digest": {"sha256": root}}]
    how = said["predicate"]["serialization"]
    assert how["method"] == "files" and how["hash_type"] == "sha256" and how["allow_symlinks"] is False
    assert "shard_size" not in how
    assert {"sub/deep", "model.sig", ".git", ".gitattributes", ".github", ".gitignore"} == set(how["ignore_paths"])
    assert bezoar("model", "verify", model, "--key", keys / "P-256.pub").returncode == 0


def test_shards(bezoar, keys, model):
    key, public = keys / "P-256.pem", keys / "P-256.pub"
    signing = ("--key", key, "--serialization", "shards", "--shard-size", 1000)
    signed = bezoar("model", "sign", model, *signing)
    assert signed.returncode == 0, signed.stderr
    _, said = statement(model / "model.sig")
    names = [r["name"] for r in said["predicate"]["resources"]]
    assert [n for n in names if n.startswith("weights")] == ["weights.bin:0:1000", "weights.bin:1000:2000",
                                                            "weights.bin:2000:2500"]
    assert names == sorted(names) and not [n for n in names if n.startswith("empty")]
    assert said["predicate"]["serialization"]["shard_size"] == 1000
    assert {r["algorithm"] for r in said["predicate"]["resources"]} == {"sha256-sharded-1000"}  # as the package has it
    assert bezoar("model", "verify", model, "--key", public).returncode == 0
    for name, code in [("sha256", 0), ("sha256-sharded-1000", 0), ("sha256-sharded-999", 1), ("blake2b", 1)]:
        for resource in said["predicate"]["resources"]:
            resource["algorithm"] = name  # "sha256" is what the standard says
        resign(keys, model, said)
        assert bezoar("model", "verify", model, "--key", public).returncode == code, name
    assert bezoar("model", "sign", model, *signing).returncode == 0
    weights = bytearray((model / "weights.bin").read_bytes())
    weights[1500] ^= 1
    (model / "weights.bin").write_bytes(weights)
    changed = bezoar("model", "verify", model, "--key", public, "--format", "json")
    assert changed.returncode == 1 and problems(changed) == [("changed", "weights.bin")]
    assert "in bytes 1000 to 2000" in changed.stdout
    weights[1500] ^= 1
    for size in (2499, 2501, 3600, 0):
        (model / "weights.bin").write_bytes((bytes(weights) * 2)[:size])
        changed = bezoar("model", "verify", model, "--key", public, "--format", "json")
        assert changed.returncode == 1 and {what for what, _ in problems(changed)} == {"changed"}, size


def test_each_way_to_fail_is_named(bezoar, keys, model):
    public = keys / "P-256.pub"
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 0
    (model / "config.json").write_text("{} ")
    (model / "sub/a.bin").unlink()
    (model / "sub-x").unlink()
    (model / "sub-x").symlink_to("weights.bin")
    (model / "injected.py").write_text("import os")
    os.mkfifo(model / "pipe")
    (model / "folder-link").symlink_to("sub")
    answer = bezoar("model", "verify", model, "--key", public, "--format", "json")
    assert answer.returncode == 1 and not json.loads(answer.stdout)["verified"]
    assert problems(answer) == [("changed", "config.json"), ("changed", "sub-x"), ("missing", "sub/a.bin"),
                                ("unsigned", "folder-link"), ("unsigned", "injected.py"), ("unsigned", "pipe")]
    lenient = bezoar("model", "verify", model, "--key", public, "--format", "json", "--ignore-unsigned-files")
    assert lenient.returncode == 1
    assert problems(lenient) == [("changed", "config.json"), ("changed", "sub-x"), ("missing", "sub/a.bin")]
    text = bezoar("model", "verify", model, "--key", public)
    assert "NOT VERIFIED" in text.stdout and "injected.py was not signed" in text.stdout


def test_unsigned_files(bezoar, keys, model):
    public = keys / "P-256.pub"
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 0
    (model / "notes.txt").write_text("mine")
    assert bezoar("model", "verify", model, "--key", public).returncode == 1
    assert bezoar("model", "verify", model, "--key", public, "--ignore-unsigned-files").returncode == 0
    ignored = bezoar("model", "verify", model, "--key", public, "--ignore", "notes.txt")
    assert ignored.returncode == 0 and "notes.txt" in ignored.stdout
    (model / "sub/.git").write_text("git's names count at the top alone")
    assert bezoar("model", "verify", model, "--key", public, "--ignore", "notes.txt").returncode == 1


def test_a_bundle_that_was_changed(bezoar, keys, model):
    public, path = keys / "P-256.pub", model / "model.sig"
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 0
    good, said = statement(path)

    def expect(change, word, code=1):
        bundle = json.loads(json.dumps(good))
        change(bundle)
        path.write_text(json.dumps(bundle))
        answer = bezoar("model", "verify", model, "--key", public)
        assert answer.returncode == code and word in answer.stdout + answer.stderr, answer.stdout + answer.stderr

    def payload(bundle, **more):
        text = json.dumps({**said, **more}).encode()
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(text).decode()

    expect(lambda b: None, "verified", 0)
    expect(lambda b: payload(b, extra=1), "not this key's")
    expect(lambda b: b["dsseEnvelope"].update(payloadType="text/plain"), "not this key's")
    expect(lambda b: b.update(mediaType="application/vnd.dev.sigstore.bundle.v0.1+json"), "media type")
    expect(lambda b: b["dsseEnvelope"].update(signatures=[]), "0 signatures")
    expect(lambda b: b["verificationMaterial"]["publicKey"].update(hint="00"), "another key")
    expect(lambda b: b["verificationMaterial"].update(publicKey={}), "verified", 0)  # nobody says which key
    expect(lambda b: b["verificationMaterial"].pop("tlogEntries"), "verified", 0)  # as Go writes it
    expect(lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid=None), "verified", 0)
    raw = base64.b64encode(public.read_bytes()).decode()  # bundles before 1.1 hold the key itself
    older = {"publicKey": {"rawBytes": raw, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}}
    expect(lambda b: b.update(verificationMaterial=older), "verified", 0)
    other = base64.b64encode((keys / "P-384.pub").read_bytes()).decode()
    expect(lambda b: b.update(verificationMaterial={"publicKey": {"rawBytes": other}}), "another key")
    path.write_text("")
    assert "empty" in bezoar("model", "verify", model, "--key", public).stdout
    path.write_text("{")
    assert "not JSON" in bezoar("model", "verify", model, "--key", public).stdout
    path.unlink()
    assert bezoar("model", "verify", model, "--key", public).returncode == 3


def resign(keys, model, said, payload_type="application/vnd.in-toto+json", curve="P-256"):
    """What somebody with the key may sign: anything."""
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    encoded = f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload
    signature = openssl("dgst", "-sha256", "-sign", keys / f"{curve}.pem", input=encoded).stdout
    (model / "model.sig").write_text(json.dumps({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": hashlib.sha256((keys / f"{curve}.pub").read_bytes()).hexdigest()}},
        "dsseEnvelope": {"payload": base64.b64encode(payload).decode(), "payloadType": payload_type,
                         "signatures": [{"sig": base64.b64encode(signature).decode()}]}}))


def test_well_signed_nonsense(bezoar, keys, model):
    """A good signature over a list that is none, or that two programs would read differently."""
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 0
    _, good = statement(model / "model.sig")

    def root(resources):
        return hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()

    def listing(change):
        said = json.loads(json.dumps(good))
        change(said["predicate"])
        resources = said["predicate"].get("resources") or []
        if all(isinstance(r, dict) and "digest" in r for r in resources):
            said["subject"][0]["digest"]["sha256"] = root(resources)
        return said

    def expect(said, word, code=1, **more):
        resign(keys, model, said, **more)
        answer = bezoar("model", "verify", model, "--key", keys / "P-256.pub")
        assert answer.returncode == code and word in answer.stdout + answer.stderr, answer.stdout + answer.stderr

    first = good["predicate"]["resources"][0]
    expect(good, "verified", 0)
    expect(listing(lambda p: p["resources"].reverse()), "verified", 0)  # another order is listed order, too
    expect(good, "of another kind", payload_type="application/json")
    expect(b"[]", "no JSON object")
    expect({**good, "_type": "https://in-toto.io/Statement/v0.1"}, "no in-toto statement")
    expect({**good, "predicateType": "https://example.com/x"}, "predicate type")
    expect({**good, "predicateType": "https://model_signing/Digests/v0.1"}, "0.2", 3)
    expect({**good, "subject": good["subject"] * 2}, "2 subjects")
    expect({**good, "subject": [{"name": "m", "digest": {"sha256": "0" * 64}}]}, "contradicts itself")
    expect(listing(lambda p: p.pop("serialization")), "serialization")
    expect(listing(lambda p: p["serialization"].update(method="tree")), "tree", 3)
    expect(listing(lambda p: p["serialization"].update(hash_type="blake3")), "blake3", 3)
    expect(listing(lambda p: p["serialization"].update(method="shards")), "without a size")
    expect(listing(lambda p: p.update(resources=[])), "empty")
    expect(listing(lambda p: p["resources"].append(first)), "twice")
    expect(listing(lambda p: p["resources"].append({**first, "name": "./" + first["name"]})), "twice")
    expect(listing(lambda p: p["resources"].append({**first, "name": "../outside"})), "out of the model")
    expect(listing(lambda p: p["resources"].append({**first, "name": "/etc/passwd"})), "out of the model")
    expect(listing(lambda p: p["resources"].append({**first, "name": "a", "algorithm": "blake2b"})), "is no sha256")
    expect(listing(lambda p: p["resources"].append({"name": "a"})), "lacks")
    expect(listing(lambda p: p["serialization"]["ignore_paths"].append(".")), "verified", 0)  # names nothing
    expect(listing(lambda p: p["serialization"]["ignore_paths"].append("weights.bin")), "weights.bin was signed and is")


def test_single_file(bezoar, keys, model):
    """One file is called "." in the list, as Python's package does; its own name, as the standard says, is accepted."""
    key, public, path = keys / "P-256.pem", keys / "P-256.pub", model / "weights.bin"
    assert bezoar("model", "sign", path, "--key", key).returncode == 0
    bundle = model / "weights.bin.sig"
    _, said = statement(bundle)
    assert [r["name"] for r in said["predicate"]["resources"]] == ["."] and said["subject"][0]["name"] == "weights.bin"
    assert bezoar("model", "verify", path, "--key", public).returncode == 0
    said["predicate"]["resources"][0]["name"] = "weights.bin"
    resign(keys, model, said)
    verify = ("model", "verify", path, "--key", public, "--signature", model / "model.sig", "--format", "json")
    assert bezoar(*verify).returncode == 0
    path.write_text("other")
    assert problems(bezoar(*verify)) == [("changed", "weights.bin")]
    assert bezoar("model", "verify", model, *verify[3:]).returncode == 1  # nor is it a signature of the folder


def test_symlinks(bezoar, keys, tmp_path, model):
    """Refused unless asked for; then what they lead to is signed, and what is beyond the model is said aloud."""
    key, public = keys / "P-256.pem", keys / "P-256.pub"
    blob = tmp_path / "blob"
    blob.write_text("content")
    (model / "link.bin").symlink_to(blob)
    refused = bezoar("model", "sign", model, "--key", key)
    assert refused.returncode == 2 and "link.bin" in refused.stderr and "symbolic link" in refused.stderr
    assert not (model / "model.sig").exists()
    signed = bezoar("model", "sign", model, "--key", key, "--allow-symlinks")
    assert signed.returncode == 0 and "1 link leads out" in signed.stdout
    verified = bezoar("model", "verify", model, "--key", public)
    assert verified.returncode == 0 and "1 link leads out" in verified.stdout
    blob.write_text("changed")
    assert bezoar("model", "verify", model, "--key", public).returncode == 1
    (model / "link.bin").unlink()
    (model / "round").symlink_to(model)
    folder = bezoar("model", "sign", model, "--key", key, "--allow-symlinks")
    assert folder.returncode == 2 and "link to a folder" in folder.stderr
    (model / "round").unlink()
    (model / "nowhere").symlink_to("gone")
    assert "leads nowhere" in bezoar("model", "sign", model, "--key", key, "--allow-symlinks").stderr


def test_a_cache_of_links(bezoar, keys, tmp_path, model):
    """A Hugging Face snapshot holds links to blobs: verified as files when the caller says so."""
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 0
    snapshot = tmp_path / "snapshot"
    for i, path in enumerate(sorted(p for p in model.rglob("*") if p.is_file())):
        to = snapshot / path.relative_to(model)
        to.parent.mkdir(parents=True, exist_ok=True)
        blob = tmp_path / f"blob{i}"
        blob.write_bytes(path.read_bytes())
        to.symlink_to(blob)
    assert bezoar("model", "verify", snapshot, "--key", keys / "P-256.pub").returncode == 1
    assert bezoar("model", "verify", snapshot, "--key", keys / "P-256.pub", "--allow-symlinks").returncode == 0


def test_what_cannot_be_signed(bezoar, keys, tmp_path, model):
    key = keys / "P-256.pem"
    empty = tmp_path / "nothing"
    empty.mkdir()
    assert "nothing to sign" in bezoar("model", "sign", empty, "--key", key).stderr
    os.mkfifo(model / "pipe")
    assert "pipe" in bezoar("model", "sign", model, "--key", key).stderr
    (model / "pipe").unlink()
    bad = os.fsencode(model) + b"/\xff.bin"
    pathlib.Path(os.fsdecode(bad)).write_text("x")
    assert "not UTF-8" in bezoar("model", "sign", model, "--key", key).stderr
    os.unlink(bad)
    for path in ("../x", "/x", "*.bin"):
        assert bezoar("model", "sign", model, "--key", key, "--ignore", path).returncode == 2
    assert bezoar("model", "sign", tmp_path / "gone", "--key", key).returncode in (2, 3)
    assert not (model / "model.sig").exists()


def test_other_files_are_not_overwritten(bezoar, keys, model):
    key = keys / "P-256.pem"
    before = (model / "weights.bin").read_bytes()
    refused = bezoar("model", "sign", model, "--key", key, "--signature", model / "weights.bin")
    assert refused.returncode == 2 and (model / "weights.bin").read_bytes() == before
    assert bezoar("model", "sign", model, "--key", key).returncode == 0
    first = (model / "model.sig").read_bytes()
    assert bezoar("model", "sign", model, "--key", key).returncode == 0
    assert (model / "model.sig").read_bytes() != first  # ECDSA draws at random
    assert sorted(p.name for p in model.iterdir() if "partial" in p.name) == []


def test_keys_that_are_refused(bezoar, keys, tmp_path, model):
    def sign(path, **env):
        extra = ("--password-env", "PASSWORD") if env else ()
        return bezoar("model", "sign", model, "--key", path, *extra, env=env)

    openssl("genpkey", "-algorithm", "ED25519", "-out", tmp_path / "ed.pem")
    openssl("genrsa", "-out", tmp_path / "rsa.pem", "2048")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-out", tmp_path / "k1.pem")
    for name, word in [("ed.pem", "ED25519"), ("rsa.pem", "RSA"), ("k1.pem", "secp256k1")]:
        refused = sign(tmp_path / name)
        assert refused.returncode == 2 and word in refused.stderr, name
    openssl("pkey", "-in", keys / "P-256.pem", "-aes-256-cbc", "-passout", "pass:correct horse", "-out",
            tmp_path / "locked.pem")
    none = sign(tmp_path / "locked.pem")
    assert none.returncode == 2 and "--password-env" in none.stderr
    wrong = sign(tmp_path / "locked.pem", PASSWORD="battery")
    assert wrong.returncode == 2 and "wrong" in wrong.stderr and "battery" not in wrong.stderr
    assert sign(tmp_path / "locked.pem", PASSWORD="correct horse").returncode == 0
    assert bezoar("model", "sign", model, "--key", tmp_path / "locked.pem", "--password-env", "NOPE").returncode == 2
    public = bezoar("model", "verify", model, "--key", keys / "P-256.pem")
    assert public.returncode == 2 and "private key" in public.stderr
    assert "PRIVATE KEY" not in public.stderr + public.stdout + none.stderr + wrong.stderr
    nobody = bezoar("model", "verify", model)
    assert nobody.returncode == 2 and "nothing says whose" in nobody.stderr
    assert bezoar("model", "sign", model).returncode == 2


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_threads_change_nothing(bezoar, keys, model, threads):
    for i in range(50):
        (model / f"part-{i}").write_text("x" * i)
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem", "--threads", threads).returncode == 0
    _, said = statement(model / "model.sig")
    assert all(r["digest"] == hashlib.sha256((model / r["name"]).read_bytes()).hexdigest()
               for r in said["predicate"]["resources"])


# ---- in a scan -------------------------------------------------------------------------------------------------------


def findings(answer):
    report = json.loads(answer.stdout)
    return [(f["severity"], f["title"]) for f in report["findings"] if f["rule"] == "BZ-M013"]


def not_checked(answer):
    return " ".join(f"{n['what']}: {n['reason']}" for n in json.loads(answer.stdout)["not_checked"])


@pytest.fixture
def scanned(bezoar, keys, model):
    """A signed folder, and its scan."""
    shutil.rmtree(model / ".git")
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 0
    return lambda *more: bezoar("scan", model, "--format", "json", "--only", "BZ-M013", *more)


def test_scan_of_what_is_as_signed(keys, scanned):
    nobody = scanned()
    assert findings(nobody) == [] and "who signed it" in not_checked(nobody)
    known = scanned("--signature-key", keys / "P-256.pub")
    assert [s for s, _ in findings(known)] == ["note"] and "signed by key" in findings(known)[0][1]
    assert "who signed it" not in not_checked(known)
    other = scanned("--signature-key", keys / "P-384.pub")
    assert other.returncode == 1 and [s for s, _ in findings(other)] == ["error", "error"]
    assert any("another key" in t for _, t in findings(other)) and uncovered(other)


@pytest.mark.parametrize("how", [(), ("--serialization", "shards", "--shard-size", 700), ("--hash", "blake2b")])
def test_scan_of_what_is_not(bezoar, keys, model, scanned, how):
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem", *how).returncode == 0
    (model / "weights.bin").write_text("v" * 2500)
    (model / "config.json").unlink()
    (model / "sub/evil.py").write_text("import os")
    answer = scanned()
    assert answer.returncode == 1
    assert sorted(findings(answer)) == [
        ("error", "weights.bin: differs from what its publisher signed (model.sig)"),
        ("warning", "model.sig: 1 file missing that it covers: config.json"),
        ("warning", "model.sig: 1 file not covered by it: sub/evil.py")]
    place = [f for f in json.loads(answer.stdout)["findings"] if f["severity"] == "error"][0]["place"]
    assert place["file"].endswith("/weights.bin")


def test_scan_of_what_was_left_out(bezoar, keys, model, scanned):
    left_out = ("--ignore", "cache", "--ignore", "extra.pkl")
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem", *left_out).returncode == 0
    (model / "cache").write_text("x")
    assert findings(scanned()) == [("note", "model.sig: leaves out what is there: cache")]
    (model / "extra.pkl").write_bytes(b"\x80\x04K\x01.")
    assert findings(scanned()) == [("warning", "model.sig: leaves out what is there: cache, extra.pkl")]


PICKLE = b"\x80\x04K\x01."


@pytest.fixture
def expecting(bezoar, keys, tmp_path):
    """A folder with one model and nothing signed, and its scan by somebody who expects a signer."""
    folder = tmp_path / "expecting"
    (folder / "side").mkdir(parents=True)
    (folder / "m.pkl").write_bytes(PICKLE)
    (folder / "side/note.txt").write_text("hello")
    return folder, lambda: bezoar("scan", folder, "--format", "json", "--only", "BZ-M013", "--signature-key",
                                  keys / "P-256.pub")


def uncovered(answer):
    return [t for s, t in findings(answer) if s == "error" and "not covered by a signature of the expected signer" in t]


def test_scan_expects_all_of_the_model(bezoar, keys, expecting):
    """Signatures of the right signer over something else, and what is no signature, leave the model open."""
    folder, scan = expecting
    sign = ("model", "sign", "--key", keys / "P-256.pem")
    (folder / "m.pkl.sig").write_text("of another kind")
    answer = scan()
    assert answer.returncode == 1 and "m.pkl" in uncovered(answer)[0]
    (folder / "m.pkl.sig").unlink()
    for signed in ("side", "side/note.txt"):
        assert bezoar(*sign, folder / signed).returncode == 0
        answer = scan()
        assert answer.returncode == 1 and "1 file not covered" in uncovered(answer)[0]
        shutil.copy(folder / "side/note.txt", folder / "note.txt")
    assert bezoar(*sign, folder / "m.pkl").returncode == 0
    answer = scan()
    assert answer.returncode == 0 and not uncovered(answer)
    (folder / "m.pkl").write_bytes(PICKLE.replace(b"\x01", b"\x02"))
    answer = scan()
    assert answer.returncode == 1 and [t for s, t in findings(answer) if s == "error"] == [
        "m.pkl: differs from what its publisher signed (m.pkl.sig)"]


def test_scan_expects_what_can_be_read(bezoar, keys, expecting):
    """A model.sig that cannot be judged is never as good as one that holds."""
    folder, scan = expecting
    assert bezoar("model", "sign", folder, "--key", keys / "P-256.pem").returncode == 0
    assert scan().returncode == 0
    _, good = statement(folder / "model.sig")
    good["predicate"]["serialization"]["hash_type"] = "blake3"
    resign(keys, folder, good)
    answer = scan()
    assert answer.returncode != 0 and "blake3" in not_checked(answer) and uncovered(answer)
    for text in ("no bundle", "[" * 100 + "]" * 100, "{" + " " * (16 << 20) + "}"):
        (folder / "model.sig").write_text(text)
        answer = scan()
        assert answer.returncode == 1 and uncovered(answer)
    (folder / "model.sig").write_text("no bundle")
    assert ["error"] * 2 == [s for s, _ in findings(scan())]


def test_scan_does_not_follow_links_out(bezoar, keys, expecting, tmp_path):
    """The digest of a file elsewhere is nobody's to learn."""
    folder, _ = expecting
    secret = tmp_path / "secret"
    secret.write_text("secret")
    digest = hashlib.sha256(b"secret").hexdigest()
    (folder / "link.txt").symlink_to(secret)
    (folder / "in.txt").symlink_to("side/note.txt")
    assert bezoar("model", "sign", folder, "--key", keys / "P-256.pem", "--allow-symlinks").returncode == 0
    scan = ("scan", folder, "--format", "json", "--only", "BZ-M013")
    _, said = statement(folder / "model.sig")
    for entry in said["predicate"]["resources"]:
        if entry["name"] == "link.txt":
            entry["digest"] = "0" * 64
    digests = b"".join(bytes.fromhex(r["digest"]) for r in said["predicate"]["resources"])
    said["subject"][0]["digest"]["sha256"] = hashlib.sha256(digests).hexdigest()
    resign(keys, folder, said)
    answer = bezoar(*scan)
    assert digest[:16] not in answer.stdout and not findings(answer)
    assert "leads out of the folder: not followed" in not_checked(answer)
    (folder / "model.sig").unlink()
    # a signature of that one file
    assert bezoar("model", "sign", folder / "m.pkl", "--key", keys / "P-256.pem").returncode == 0
    (folder / "m.pkl.sig").rename(folder / "link.txt.sig")
    answer = bezoar(*scan)
    assert digest[:16] not in answer.stdout and "leads out of the folder: not followed" in not_checked(answer)


def test_a_hub_snapshot_is_followed(bezoar, keys, expecting, tmp_path):
    """Of a hub's cache, the repository is the boundary."""
    folder, _ = expecting
    assert bezoar("model", "sign", folder, "--key", keys / "P-256.pem").returncode == 0
    snapshot = tmp_path / "models--a--b/snapshots/0123"
    blobs = tmp_path / "models--a--b/blobs"
    blobs.mkdir(parents=True)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        blob = blobs / hashlib.sha256(path.read_bytes()).hexdigest()
        blob.write_bytes(path.read_bytes())
        (snapshot / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / path.relative_to(folder)).symlink_to(blob)
    answer = bezoar("scan", snapshot, "--format", "json", "--only", "BZ-M013", "--signature-key", keys / "P-256.pub")
    assert answer.returncode == 0 and [s for s, _ in findings(answer)] == ["note"], answer.stdout


def test_a_long_list_of_ignored_paths(bezoar, keys, model, scanned):
    """Up to 4,096 may be ignored, and each that is there is known; a longer list is refused."""
    for i in range(1500):
        (model / f"i{i:04}").touch()
    (model / "i9999.pkl").write_bytes(PICKLE)
    _, said = statement(model / "model.sig")
    ignored = said["predicate"]["serialization"]["ignore_paths"]
    ignored += [f"i{i:04}" for i in range(1500)] + ["i9999.pkl"]
    resign(keys, model, said)
    verified = bezoar("model", "verify", model, "--key", keys / "P-256.pub", "--format", "json")
    assert verified.returncode == 0 and len(json.loads(verified.stdout)["left_out"]) >= 1501
    answer = scanned()
    assert [s for s, _ in findings(answer)] == ["warning"] and "leaves out what is there" in findings(answer)[0][1]
    ignored += [f"x{i}" for i in range(4096)]
    resign(keys, model, said)
    refused = bezoar("model", "verify", model, "--key", keys / "P-256.pub")
    assert refused.returncode != 0 and "ignores" in refused.stdout + refused.stderr
    assert "more than 4096" in not_checked(scanned())
    assert scanned("--signature-key", keys / "P-256.pub").returncode != 0


def test_scan_of_what_is_named_like_gits(bezoar, keys, model, scanned):
    (model / ".gitmodel.pkl").write_bytes(PICKLE)
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem", "--ignore", ".gitmodel.pkl").returncode == 0
    assert findings(scanned()) == [("warning", "model.sig: leaves out what is there: .gitmodel.pkl")]


def test_a_pipe_is_no_signature(bezoar, keys, model):
    os.mkfifo(model / "model.sig")
    assert "is no file" in bezoar("model", "verify", model, "--key", keys / "P-256.pub").stdout
    assert bezoar("model", "sign", model, "--key", keys / "P-256.pem").returncode == 2
    bezoar("scan", model)  # returns


def test_scan_of_a_stranger(bezoar, keys, model, scanned):
    """A signature that is not whose it must be says nothing of the files; one that is missing leaves all open."""
    (model / "weights.bin").write_text("changed")
    stranger = scanned("--signature-key", keys / "P-384.pub")
    assert len(findings(stranger)) == 2 and len(uncovered(stranger)) == 1
    assert any("not the expected signature" in t for _, t in findings(stranger))
    (model / "model.sig").write_text("no bundle")
    broken = scanned()
    assert [s for s, _ in findings(broken)] == ["warning"] and "no usable signature" in findings(broken)[0][1]
    (model / "model.sig").unlink()
    (model / "generation_config.json").write_text("{}")
    gone = scanned("--signature-key", keys / "P-256.pub")
    assert gone.returncode == 3 and "no signature lies beside it" in not_checked(gone)


def test_scan_of_one_file(bezoar, keys, tmp_path):
    pickle = tmp_path / "model.pkl"
    pickle.write_bytes(b"\x80\x04K\x01.")
    assert bezoar("model", "sign", pickle, "--key", keys / "P-256.pem").returncode == 0
    assert findings(bezoar("scan", pickle, "--format", "json")) == []
    known = bezoar("scan", pickle, "--format", "json", "--signature-key", keys / "P-256.pub")
    assert [s for s, _ in findings(known)] == ["note"]
    pickle.write_bytes(b"\x80\x04K\x02.")
    assert findings(bezoar("scan", pickle, "--format", "json")) == [
        ("error", "model.pkl: differs from what its publisher signed (model.pkl.sig)")]
    assert [s for s, _ in findings(bezoar("scan", tmp_path, "--format", "json"))] == ["error"]


# ---- vectors ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed_model(tmp_path):
    """The files that the specification's bundles were made of, as their digests tell."""
    folder = tmp_path / "vector"
    folder.mkdir()
    (folder / "signme-1").write_text("signme-1\n")
    (folder / "signme-2").write_text("signme-2")
    (folder / "ignore-me").write_text("ignore-me\n")
    return folder


def test_valid_vectors(bezoar, vectors, signed_model):
    args = ("model", "verify", signed_model, "--signature")
    by_key = bezoar(*args, vectors / "valid/key.bundle.json", "--key", PUBLIC)
    assert by_key.returncode == 0 and "as signed  2 files" in by_key.stdout and "ignore-me" in by_key.stdout
    by_root = bezoar(*args, vectors / "valid/certificate.bundle.json", "--certificate-chain",
                     KEYS / "certificate/ca-cert.pem", "--format", "json")
    assert by_root.returncode == 0 and json.loads(by_root.stdout)["signed_by"] == "CN=intermediate-ca"
    nobody = bezoar(*args, vectors / "valid/sigstore.bundle.json", "--certificate-identity", "stefanb@us.ibm.com",
                    "--certificate-oidc-issuer", "https://sigstore.verify.ibm.com/oauth2")
    assert nobody.returncode == 3 and "not checked" in nobody.stderr and "trusted root" in nobody.stderr
    # not with other keys, roots, or another method
    for bundle, option, path, word in [
            ("key", "--key", "wrong/wrong-key-pub.pem", "another key"),
            ("certificate", "--certificate-chain", "wrong/wrong-ca-cert.pem", "trusted root"),
            ("key", "--certificate-chain", "certificate/ca-cert.pem", "not with a certificate chain"),
            ("certificate", "--key", "certificate/signing-key-pub.pem", "not with a key"),
            ("sigstore", "--key", "certificate/signing-key-pub.pem", "not with a key"),
            ("sigstore", "--certificate-chain", "certificate/ca-cert.pem", "not with a certificate chain")]:
        answer = bezoar(*args, vectors / f"valid/{bundle}.bundle.json", option, KEYS / path)
        assert answer.returncode == 1 and word in answer.stdout, (bundle, option, answer.stdout)


@pytest.mark.parametrize(("name", "word"), [
    ("invalid/empty", "empty"), ("invalid/missing-envelope", "no DSSE envelope"),
    ("invalid/missing-tlog-entries", "transparency log"),
    ("invalid/missing-verification-material", "no verification material")])
def test_invalid_vectors(bezoar, vectors, signed_model, name, word):
    for how in (("--key", PUBLIC), ("--certificate-chain", KEYS / "certificate/ca-cert.pem")):
        answer = bezoar("model", "verify", signed_model, "--signature", vectors / f"{name}.bundle.json", *how)
        assert answer.returncode == 1 and word in answer.stdout


def test_wrong_predicate_vector(bezoar, vectors, signed_model):
    """Its payload was changed under the signature: neither holds, and both are said. A payload like it under a good
    signature is in test_well_signed_nonsense."""
    answer = bezoar("model", "verify", signed_model, "--key", PUBLIC, "--signature",
                    vectors / "invalid-payload/wrong-predicate.bundle.json")
    assert answer.returncode == 1 and "not this key's" in answer.stdout
    assert 'its predicate type is "https://example.com/wrong-predicate/v1.0"' in answer.stdout


def test_certificates(bezoar, vectors, model):
    """The vectors' chain, a self-signed certificate as its own root, and one that expired before it was used."""
    c = KEYS / "certificate"
    chain = ("--certificate", c / "signing-key-cert.pem", "--certificate", c / "int-ca-cert.pem")
    assert bezoar("model", "sign", model, "--key", c / "signing-key.pem", *chain).returncode == 0
    verify = ("model", "verify", model, "--certificate-chain")
    good = bezoar(*verify, c / "ca-cert.pem")
    assert good.returncode == 0 and "CN=intermediate-ca" in good.stdout
    assert "no path leads" in bezoar(*verify, KEYS / "wrong/wrong-ca-cert.pem").stdout
    assert "expired on 2035-04-30" in bezoar(*verify, c / "ca-cert.pem", "--at", "2036-01-01").stdout
    assert "not valid before 2025-05-02" in bezoar(*verify, c / "ca-cert.pem", "--at", "2025-01-01").stdout
    assert bezoar(*verify, c / "ca-cert.pem", "--at", "2026-06-01").returncode == 0
    assert bezoar(*verify, c / "ca-cert.pem", "--at", "June").returncode == 2
    assert bezoar(*verify, c / "signing-key.pem").returncode == 2
    own = KEYS / "self-signed"
    assert bezoar("model", "sign", model, "--key", own / "signing-key.pem", "--certificate",
                  own / "signing-cert.pem").returncode == 0
    assert bezoar(*verify, own / "signing-cert.pem").returncode == 0
    assert bezoar(*verify, c / "ca-cert.pem").returncode == 1
    other = bezoar("model", "sign", model, "--key", KEYS / "p384/signing-key.pem", *chain)
    assert other.returncode == 2 and "not the one of the signing key" in other.stderr
    old = bezoar("model", "sign", model, "--key", KEYS / "expired/signing-key.pem", "--certificate",
                 KEYS / "expired/signing-key-cert.pem")
    assert old.returncode == 2 and "expired on 2020-01-02" in old.stderr


# ---- with the package ------------------------------------------------------------------------------------------------

SIGN = """
config = hashing.Config().{how}.set_ignored_paths(paths=[{ignore}])
signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(config).sign(model, signature)
"""
VERIFY = "verifying.Config().use_elliptic_key_verifier(public_key=key).verify(__import__('pathlib').Path(model), signature)"


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize("how", [(), ("--serialization", "shards", "--shard-size", 1000)])
def test_the_package_verifies_ours(bezoar, keys, package, model, curve, how):
    assert bezoar("model", "sign", model, "--key", keys / f"{curve}.pem", *how).returncode == 0
    sig = model / "model.sig"
    good = package(VERIFY, key=keys / f"{curve}.pub", model=model, signature=sig)
    assert good.returncode == 0, good.stderr
    (model / "config.json").write_text("changed")
    bad = package(VERIFY, key=keys / f"{curve}.pub", model=model, signature=sig)
    assert bad.returncode != 0 and "config.json" in bad.stderr


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize("how", ["use_file_serialization()", "use_file_serialization(hashing_algorithm='blake2')",
                                 "use_shard_serialization(shard_size=1000)",
                                 "use_shard_serialization(hashing_algorithm='blake2', shard_size=700)"])
def test_ours_verifies_the_package(bezoar, keys, package, model, curve, how):
    made = package(SIGN.format(how=how, ignore="signature, 'sub-x'"), key=keys / f"{curve}.pem", model=model,
                   signature=model / "model.sig")
    assert made.returncode == 0, made.stderr
    good = bezoar("model", "verify", model, "--key", keys / f"{curve}.pub")
    assert good.returncode == 0 and "sub-x" in good.stdout, good.stdout
    (model / "sub/a.bin").write_text("B")
    assert bezoar("model", "verify", model, "--key", keys / f"{curve}.pub").returncode == 1


def test_single_files_both_ways(bezoar, keys, package, model):
    key, public, path, sig = keys / "P-256.pem", keys / "P-256.pub", model / "weights.bin", model / "w.sig"
    assert bezoar("model", "sign", path, "--key", key, "--signature", sig).returncode == 0
    good = package(VERIFY, key=public, model=path, signature=sig)
    assert good.returncode == 0, good.stderr
    made = package(SIGN.format(how="use_file_serialization()", ignore=""), key=key, model=path, signature=sig)
    assert made.returncode == 0, made.stderr
    assert bezoar("model", "verify", path, "--key", public, "--signature", sig).returncode == 0


def test_links_both_ways(bezoar, keys, package, model):
    key, public, sig = keys / "P-256.pem", keys / "P-256.pub", model / "model.sig"
    (model / "link").symlink_to("weights.bin")
    assert bezoar("model", "sign", model, "--key", key, "--allow-symlinks").returncode == 0
    verify = """
config = hashing.Config().use_file_serialization(allow_symlinks=True).set_allow_symlinks(True)
config.set_ignored_paths(paths=['model.sig'])
verifying.Config().use_elliptic_key_verifier(public_key=key).set_hashing_config(config).verify(model, signature)
"""
    good = package(verify, key=public, model=model, signature=sig)
    assert good.returncode == 0, good.stderr
    sign = """
config = hashing.Config().use_file_serialization(allow_symlinks=True).set_allow_symlinks(True)
config.set_ignored_paths(paths=['model.sig'])
signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(config).sign(model, signature)
"""
    made = package(sign, key=key, model=model, signature=sig)
    assert made.returncode == 0, made.stderr
    assert bezoar("model", "verify", model, "--key", public).returncode == 0


def test_certificates_both_ways(bezoar, vectors, package, model):
    c, sig = KEYS / "certificate", model / "model.sig"
    verify = "verifying.Config().use_certificate_verifier(certificate_chain=[roots]).verify(__import__('pathlib').Path(model), signature)"
    assert bezoar("model", "sign", model, "--key", PRIVATE, "--certificate", c / "signing-key-cert.pem", "--certificate",
                  c / "int-ca-cert.pem").returncode == 0
    good = package(verify, roots=c / "ca-cert.pem", model=model, signature=sig)
    assert good.returncode == 0, good.stderr
    sign = """
config = hashing.Config().set_ignored_paths(paths=['model.sig'])
import pathlib
signing.Config().use_certificate_signer(private_key=pathlib.Path(key), signing_certificate=pathlib.Path(leaf),
    certificate_chain=[pathlib.Path(middle)]).set_hashing_config(config).sign(model, signature)
"""
    made = package(sign, key=PRIVATE, leaf=c / "signing-key-cert.pem", middle=c / "int-ca-cert.pem", model=model,
                   signature=sig)
    assert made.returncode == 0, made.stderr
    assert bezoar("model", "verify", model, "--certificate-chain", c / "ca-cert.pem").returncode == 0
