"""bezoar model verify of Sigstore signatures: bundles by an authority and logs of our own (sigstore_maker), each piece of
them wrong in turn, and a real one, where the public root is at hand."""
import copy
import datetime
import json
import pathlib
import pickle

import pytest

from conftest import ROOT

maker = pytest.importorskip("sigstore_maker", reason="the package cryptography is not installed: no bundles can be made",
                            exc_type=ImportError)

VECTOR = ROOT.parent / "shared" / "vectors" / "model-signing" / "spec-v1.0" / "valid" / "sigstore.bundle.json"


@pytest.fixture(scope="module")
def world():
    return maker.World()


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(bytes(range(256)))
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def verify(bezoar, model, tmp_path, world):
    """verify(bundle) → (exit code, what is said)."""

    def run(bundle, *, root=None, identity=maker.IDENTITY, issuer=maker.ISSUER):
        (model / "model.sig").write_text(json.dumps(bundle))
        (tmp_path / "root.json").write_text(json.dumps(root or world.trusted_root()))
        done = bezoar("model", "verify", model, "--certificate-identity", identity, "--certificate-oidc-issuer", issuer,
                      "--trusted-root", tmp_path / "root.json")
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    return run


@pytest.mark.parametrize("kind, version", sorted(maker.BODIES))
def test_holds(verify, world, model, kind, version):
    code, text = verify(world.bundle(maker.statement(model), kind=kind, version=version))
    assert code == 0, text
    assert maker.IDENTITY in text and maker.ISSUER in text and "2030-05-01T12:05:00Z" in text


@pytest.mark.parametrize("name, identity", [("uri", "https://ci.example.org/build@main"), ("user", "somebody")])
def test_other_kinds_of_names(verify, world, model, name, identity):
    bundle = world.bundle(maker.statement(model), name=name, identity=identity, old_issuer=name == "user")
    assert verify(bundle, identity=identity)[0] == 0
    code, text = verify(bundle)
    assert code == 1 and f"was signed by {identity}" in text


def test_every_place_in_the_tree(verify, world, model):
    payload = maker.statement(model)
    for size, index in ((1, 0), (2, 1), (3, 2), (7, 3), (8, 7), (9, 8)):
        assert verify(world.bundle(payload, size=size, index=index))[0] == 0


def test_a_file_that_changed(verify, world, model):
    bundle = world.bundle(maker.statement(model))
    assert verify(bundle)[0] == 0
    (model / "weights.bin").write_bytes(bytes(256))
    code, text = verify(bundle)
    assert code == 1 and "weights.bin" in text


def test_who_and_by_whose_word(verify, world, model):
    bundle = world.bundle(maker.statement(model))
    for more in ({"identity": "other@example.org"}, {"identity": "signer@example.or"}, {"identity": maker.IDENTITY.upper()}):
        code, text = verify(bundle, **more)
        assert code == 1 and "was signed by signer@example.org" in text
    code, text = verify(bundle, issuer="https://accounts.example.org/")
    assert code == 1 and "vouched for by https://accounts.example.org" in text


def test_when(verify, world, model):
    payload = maker.statement(model)
    for minutes, word in ((11, "expired"), (-1, "not valid before")):
        code, text = verify(world.bundle(payload, at=maker.NOW + datetime.timedelta(minutes=minutes)))
        assert code == 1 and word in text and "at the time of signing" in text


def test_certificates(verify, world, model):
    payload, other = maker.statement(model), maker.World()
    for bundle, word in ((world.bundle(payload, sct=False), "no promise of a certificate log"),
                         (world.bundle(payload, ct_key=world.rekor_key), "no certificate log of the trusted root"),
                         (world.bundle(payload, usage=maker.ExtendedKeyUsageOID.CLIENT_AUTH), "code signing")):
        code, text = verify(bundle)
        assert code == 1 and word in text
    mixed = world.trusted_root(certificateAuthorities=other.trusted_root()["certificateAuthorities"])
    code, text = verify(world.bundle(payload), root=mixed)
    assert code == 1 and "issued by no authority of the trusted root" in text


def edited(bundle, edit):
    bundle = copy.deepcopy(bundle)
    edit(bundle["verificationMaterial"]["tlogEntries"][0])
    return bundle


def test_the_log(verify, world, model):
    """A forged proof, a checkpoint by another key, a promise for another time, the entry of another signature."""
    payload, other = maker.statement(model), maker.World()
    good, second = world.bundle(payload), world.bundle(payload)
    their = copy.deepcopy(world)
    their.rekor_key = other.rekor_key
    entry = second["verificationMaterial"]["tlogEntries"][0]
    zero = maker.b64(bytes(32))
    forged = their.bundle(payload)["verificationMaterial"]["tlogEntries"][0]
    forged["logId"] = entry["logId"]

    def swap(key, value):
        return lambda e: e.update({key: value})

    for name, edit, word in (
            ("hash", lambda e: e["inclusionProof"]["hashes"].__setitem__(0, zero), "does not lead to the log's checkpoint"),
            ("too few", lambda e: e["inclusionProof"]["hashes"].pop(), "too short"),
            ("too many", lambda e: e["inclusionProof"]["hashes"].append(zero), "too long"),
            ("index", lambda e: e["inclusionProof"].update(logIndex="4"), ""),
            ("promise", swap("inclusionPromise", entry["inclusionPromise"]), "signed entry time"),
            ("time", swap("integratedTime", str(int(entry["integratedTime"]) + 1)), "signed entry time"),
            ("checkpoint", lambda e: e["inclusionProof"].update(checkpoint=entry["inclusionProof"]["checkpoint"]), ""),
            ("body", swap("canonicalizedBody", entry["canonicalizedBody"]), "another signature, signer or payload"),
            ("entry", lambda e: (e.clear(), e.update(entry)), "another signature, signer or payload"),
            ("no proof", lambda e: e.pop("inclusionProof"), "no inclusion proof"),
            ("no promise", lambda e: e.pop("inclusionPromise"), "nobody trusted says when")):
        code, text = verify(edited(good, edit))
        assert code == 1 and word in text, (name, text)
    theirs = their.bundle(payload)
    code, text = verify(theirs)
    assert code == 1 and "no transparency log of the trusted root" in text
    code, text = verify(edited(theirs, swap("logId", entry["logId"])))
    assert code == 1 and "checkpoint is not signed" in text


def test_a_log_without_times_wants_a_stamp(verify, world, model, tmp_path, monkeypatch):
    """Rekor v2 promises none: an authority says when it was."""
    monkeypatch.setattr(maker, "NOW", datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(minutes=2))
    own, payload = maker.World(), maker.statement(model)
    stamper = maker.Stamper(tmp_path / "tsa", own)
    root = own.trusted_root(timestampAuthorities=[stamper.authority()])
    options = {"two": True, "version": "0.0.2"}
    code, text = verify(own.bundle(payload, stamps=[stamper], **options), root=root)
    assert code == 0, text
    for stamps, trusted in (([], root), ([stamper], own.trusted_root()), ([lambda data: stamper(data + b"x")], root),
                            ([lambda data: b"no stamp"], root)):
        code, text = verify(own.bundle(payload, stamps=stamps, **options), root=trusted)
        assert code == 1 and "nobody trusted says when" in text


def test_without_a_trusted_root_nothing_is_verified(bezoar, world, model):
    (model / "model.sig").write_text(json.dumps(world.bundle(maker.statement(model))))
    done = bezoar("model", "verify", model, "--certificate-identity", maker.IDENTITY, "--certificate-oidc-issuer", maker.ISSUER)
    assert done.returncode == 3 and "not checked" in done.stderr and "trusted root" in done.stderr


def test_what_is_no_trusted_root(bezoar, world, model, tmp_path):
    (model / "model.sig").write_text(json.dumps(world.bundle(maker.statement(model))))
    for text in ("", "[]", "{}", '{"mediaType": "application/json"}'):
        (tmp_path / "root.json").write_text(text)
        done = bezoar("model", "verify", model, "--certificate-identity", "a", "--certificate-oidc-issuer", "b",
                      "--trusted-root", tmp_path / "root.json")
        assert done.returncode in (2, 3) and "root.json" in done.stderr


def test_a_signature_that_others_made(bezoar, tmp_path):
    """The specification's own vector, against the root that the Sigstore project publishes: the signature holds, though the
    files that it names are not here."""
    store = pytest.importorskip("sigstore", reason="the package sigstore, which carries the public root, is not installed")
    roots = list(pathlib.Path(store.__file__).parent.glob("_store/*sigstore.dev/trusted_root.json"))
    if not VECTOR.exists() or not roots:
        pytest.skip("the vector or the public root is not there")
    folder = tmp_path / "v1.1.0-sigstore"
    folder.mkdir()
    (folder / "model.sig").write_bytes(VECTOR.read_bytes())
    words = {}
    for identity in ("stefanb@us.ibm.com", "somebody@us.ibm.com"):
        done = bezoar("model", "verify", folder, "--certificate-identity", identity, "--certificate-oidc-issuer",
                      "https://sigstore.verify.ibm.com/oauth2", "--trusted-root", roots[0])
        assert done.returncode == 1
        words[identity] = " ".join((done.stdout + done.stderr).split())
    assert "signme-1" in words["stefanb@us.ibm.com"] and "not by" not in words["stefanb@us.ibm.com"]
    assert "was signed by stefanb@us.ibm.com" in words["somebody@us.ibm.com"]


def test_the_field_s_own_client_agrees(verify, world, model, tmp_path, monkeypatch):
    """The package sigstore takes and refuses the same bundles (of the kinds that it knows), so that what is made here is what
    the field means by it."""
    reason = "the package sigstore (4 or later) is not installed: bundles are held against our own reading alone"
    models = pytest.importorskip("sigstore.models", reason=reason)
    verifying = pytest.importorskip("sigstore.verify", reason=reason)
    if not hasattr(models, "TrustedRoot"):
        pytest.skip(reason)
    payload = maker.statement(model)

    def both(bundle, root):
        (tmp_path / "r.json").write_text(json.dumps(root))
        try:
            client = verifying.Verifier(trusted_root=models.TrustedRoot.from_file(str(tmp_path / "r.json")))
            client.verify_dsse(models.Bundle.from_json(json.dumps(bundle)),
                               verifying.policy.Identity(identity=maker.IDENTITY, issuer=maker.ISSUER))
            theirs = True
        except Exception:  # its refusals are of many classes
            theirs = False
        return theirs, verify(bundle, root=root)[0] == 0

    good, other = world.bundle(payload), world.bundle(payload)
    root = world.trusted_root()
    assert both(good, root) == (True, True)
    entry = other["verificationMaterial"]["tlogEntries"][0]
    for edit in (lambda e: e["inclusionProof"]["hashes"].__setitem__(0, maker.b64(bytes(32))),
                 lambda e: e["inclusionProof"]["checkpoint"].update(entry["inclusionProof"]["checkpoint"]),
                 lambda e: e.update(integratedTime=str(int(entry["integratedTime"]) + 60)),
                 lambda e: e.update(inclusionPromise=entry["inclusionPromise"]),
                 lambda e: e.update(canonicalizedBody=entry["canonicalizedBody"])):
        assert both(edited(good, edit), root) == (False, False)
    for bundle in (world.bundle(payload, identity="other@example.org"), world.bundle(payload, issuer="https://other.example.org"),
                   world.bundle(payload, ct_key=world.rekor_key), world.bundle(payload, at=maker.NOW + datetime.timedelta(hours=1))):
        assert both(bundle, root) == (False, False)
    monkeypatch.setattr(maker, "NOW", datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(minutes=2))
    own = maker.World()
    stamper = maker.Stamper(tmp_path / "tsa", own)
    stamped = own.bundle(payload, two=True, kind="hashedrekord", version="0.0.2", stamps=[stamper])
    assert both(stamped, own.trusted_root(timestampAuthorities=[stamper.authority()])) == (True, True)
    assert both(stamped, own.trusted_root()) == (False, False)


def test_a_scan_asks_as_well(bezoar, world, model, tmp_path):
    """BZ-M013 with whom to expect: the signer is named, or the signature is not the expected one."""
    (model / "weights.bin").unlink()  # of no format: it would be "not checked"
    (model / "m.pkl").write_bytes(pickle.dumps([1]))
    (model / "model.sig").write_text(json.dumps(world.bundle(maker.statement(model))))
    (tmp_path / "root.json").write_text(json.dumps(world.trusted_root()))
    said = {}
    for identity in (maker.IDENTITY, "other@example.org"):
        done = bezoar("scan", model, "--certificate-identity", identity, "--certificate-oidc-issuer", maker.ISSUER,
                      "--trusted-root", tmp_path / "root.json", "--only", "BZ-M013", "--format", "json")
        said[identity] = done.returncode, [f["title"] for f in json.loads(done.stdout)["findings"]]
    assert said[maker.IDENTITY][0] == 0 and "signed by signer@example.org" in said[maker.IDENTITY][1][0]
    assert said["other@example.org"][0] == 1 and any("not by other@example.org" in t for t in said["other@example.org"][1])
