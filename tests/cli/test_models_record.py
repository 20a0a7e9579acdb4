"""What stays on record of a scanned model: the bill of materials (CycloneDX 1.6), by its official schema, and attestations
(in-toto), by programs that are not ours."""
import base64
import hashlib
import io
import json
import pickle
import re
import shutil
import subprocess
import zipfile

import pytest


def official_schema():
    """The validator of the CycloneDX project's own library, which carries the published schema."""
    reason = "cyclonedx-python-lib[json-validation] is not installed: the bill is not held against the official schema"
    validation = pytest.importorskip("cyclonedx.validation.json", reason=reason)
    schema = pytest.importorskip("cyclonedx.schema", reason=reason)
    return validation.JsonStrictValidator(schema.SchemaVersion.V1_6)


def assert_valid(text):
    problem = official_schema().validate_str(text)
    assert problem is None, problem


class Runs:
    """Calls eval when it is loaded."""

    def __reduce__(self):
        return (eval, ("1+1",))


@pytest.fixture
def folder(tmp_path):
    """A model that runs a program when it is loaded, an ordinary one, one that breaks off, and what lies beside them."""

    root = tmp_path / "model"
    root.mkdir()
    (root / "bad.pkl").write_bytes(pickle.dumps(Runs()))
    (root / "good \u202e\U0001f40d.pkl").write_bytes(pickle.dumps({"a": [1, 2.5, "x"]}))
    (root / "broken.pkl").write_bytes(pickle.dumps(list(range(100)))[:-7])
    (root / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}))
    return root


def test_sbom_is_valid_and_names_everything(bezoar, folder, tmp_path):
    done = bezoar("scan", folder, "--sbom", tmp_path / "bom.json", "--report", tmp_path / "r.json")
    assert done.returncode == 1, done.stderr
    text = (tmp_path / "bom.json").read_text(encoding="utf-8")
    bom, report = json.loads(text), json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert bom["metadata"]["component"]["type"] == "machine-learning-model"
    files = {c["name"]: c for c in bom["components"]}
    assert list(files) == [f["path"] for f in report["data"]["files"]]
    assert len(bom["vulnerabilities"]) == len(report["findings"]) >= 1
    for entry, finding in zip(bom["vulnerabilities"], report["findings"]):
        assert entry["id"] == finding["rule"]
        assert {"name": "bezoar:fingerprint", "value": finding["fingerprint"]} in entry["properties"]
        ref = entry["affects"][0]["ref"]
        assert ref in {c["bom-ref"] for c in bom["components"]} | {"whole"}
    bad = [e for e in bom["vulnerabilities"] if e["ratings"][0]["severity"] == "high"]
    assert bad and bad[0]["affects"][0]["ref"] == files[str(folder / "bad.pkl")]["bom-ref"]
    properties = bom["metadata"]["properties"]
    assert sum(p["name"].startswith("bezoar:check:") for p in properties) == sum(r["ran"] for r in report["rules"])
    assert sum(p["name"] == "bezoar:not-checked" for p in properties) == len(report["not_checked"])
    assert_valid(text)


def test_sbom_of_the_same_input_is_the_same(bezoar, folder, tmp_path):
    bills = []
    for name in ("a.json", "b.json"):
        bezoar("scan", folder, "--sbom", tmp_path / name)
        bom = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bom["serialNumber"])
        del bom["metadata"]["timestamp"]
        bills.append(bom)
    assert bills[0] == bills[1]
    (folder / "bad.pkl").unlink()
    bezoar("scan", folder, "--sbom", tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))["serialNumber"] != bills[0]["serialNumber"]


def test_sbom_says_what_the_model_says_of_itself(bezoar, folder, tmp_path):
    """From a saved report, which may hold anything."""
    bezoar("scan", folder, "--report", tmp_path / "r.json")
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    about = [("base_model", "org/base"), ("base_model", "org/other"), ("license", "apache-2.0"), ("license", "llama2"),
             ("architecture", "LlamaForCausalLM"), ("model_type", "llama"), ("name", "x\u0000\x1b[2J\ud7ff")]
    report["data"]["files"][0]["about"] = [{"key": k, "value": v.replace("\0", "")} for k, v in about]
    report["data"]["files"][0]["sha256"] = "0123456789abcdef" * 4
    report["findings"][0].update(suppressed=True, suppressed_by="Ann: known")
    (tmp_path / "s.json").write_text(json.dumps(report), encoding="utf-8")
    done = bezoar("report", "show", tmp_path / "s.json", "--format", "cyclonedx")
    assert done.returncode in (0, 1, 3), done.stderr
    bom = json.loads(done.stdout)
    whole = bom["metadata"]["component"]
    assert [a["name"] for a in whole["pedigree"]["ancestors"]] == ["org/base", "org/other"]
    assert [entry["license"].get("id", entry["license"].get("name")) for entry in whole["licenses"]] == ["Apache-2.0", "llama2"]
    assert whole["modelCard"]["modelParameters"] == {"architectureFamily": "llama", "modelArchitecture": "LlamaForCausalLM"}
    assert bom["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "0123456789abcdef" * 4}]
    assert bom["vulnerabilities"][0]["analysis"]["response"] == ["will_not_fix"]
    assert_valid(done.stdout)
    closed = bezoar("report", "show", tmp_path / "s.json", "--format", "cyclonedx", "--redact")
    assert "org/base" not in closed.stdout
    assert_valid(closed.stdout)


def test_sbom_of_tables(bezoar, messages, tmp_path):
    done = bezoar("scan", messages, "--label", "label", "--sbom", tmp_path / "bom.json")
    assert done.returncode == 1, done.stderr
    text = (tmp_path / "bom.json").read_text(encoding="utf-8")
    assert json.loads(text)["metadata"]["component"]["type"] == "data"
    assert_valid(text)


# ---- SARIF


def test_sarif_nests_artifacts(bezoar, tmp_path):
    """A pickle in a ZIP in a ZIP: each is an artifact whose parent is what holds it, and the byte is the pickle's."""
    evil = pickle.dumps(Runs())
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("archive/data 1.pkl", evil)
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr("model.pt", inner.getvalue())
    (tmp_path / "m.pkl").write_bytes(evil)
    run = json.loads(bezoar("scan", "m.pt", "m.pkl", "--format", "sarif").stdout)["runs"][0]
    artifacts = run["artifacts"]
    digests = {a["location"]["uri"]: a["hashes"]["sha-256"] for a in artifacts if "parentIndex" not in a}
    assert digests == {name: sha256(tmp_path / name) for name in ("m.pt", "m.pkl")}
    places = {}
    for result in run["results"]:
        location = result["locations"][0]["physicalLocation"]
        assert artifacts[location["artifactLocation"]["index"]]["location"]["uri"] == location["artifactLocation"]["uri"]
        for related in result.get("relatedLocations", []):
            at = related["physicalLocation"]["artifactLocation"]
            assert artifacts[at["index"]]["location"]["uri"] == at["uri"]
            chain, index = [], at["index"]
            while index is not None:
                chain.insert(0, artifacts[index]["location"]["uri"])
                index = artifacts[index].get("parentIndex")
            places[tuple(chain)] = related["physicalLocation"]["region"]["byteOffset"]
    assert places[("m.pt", "/model.pt", "/archive/data%201.pkl")] == evil.index(b"R\x94.")


# ---- attestations


def pae(kind, payload):
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def openssl(*args, **more):
    return subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False, **more)


def make_key(folder, name="key", curve="P-256"):
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl program to make a key with")
    made = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", folder / f"{name}.pem")
    assert made.returncode == 0, made.stderr
    openssl("pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub")
    return folder / f"{name}.pem", folder / f"{name}.pub"


def openssl_verifies(envelope, public, folder, digest="sha256"):
    payload = base64.b64decode(envelope["payload"])
    (folder / "pae").write_bytes(pae(envelope["payloadType"], payload))
    (folder / "sig").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    return openssl("dgst", f"-{digest}", "-verify", public, "-signature", folder / "sig", folder / "pae").returncode == 0


@pytest.mark.parametrize("curve, digest", [("P-256", "sha256"), ("P-384", "sha384"), ("P-521", "sha512")])
def test_attestation(bezoar, folder, tmp_path, curve, digest):
    private, public = make_key(tmp_path, curve=curve)
    done = bezoar("scan", folder, "--attest", private, "--attestation", tmp_path / "a.json", "--report", tmp_path / "r.json")
    assert done.returncode == 1, done.stderr
    envelope = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert openssl_verifies(envelope, public, tmp_path, digest)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1" and statement["predicateType"] == "urn:bezoar:attestation:1"
    subjects = {s["name"]: s["digest"]["sha256"] for s in statement["subject"]}
    for path in folder.iterdir():
        assert subjects[str(path)] == hashlib.sha256(path.read_bytes()).hexdigest()
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED" and predicate["summary"]["errors"] >= 1
    written = (tmp_path / "r.json").read_bytes()
    assert predicate["report"] == json.loads(written)
    assert predicate["reportDigest"]["sha256"] == hashlib.sha256(written).hexdigest()
    envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]).replace(b"FAILED", b"PASSED")).decode()
    assert not openssl_verifies(envelope, public, tmp_path, digest)


def test_attestation_by_the_field_s_own_library(bezoar, folder, tmp_path):
    reason = "securesystemslib is not installed: envelopes are held against openssl alone"
    dsse = pytest.importorskip("securesystemslib.dsse", reason=reason)
    signer = pytest.importorskip("securesystemslib.signer", reason=reason)
    private, public = make_key(tmp_path)
    assert bezoar("scan", folder, "--attest", private).returncode == 1
    document = json.loads((tmp_path / "bezoar.attestation.json").read_text(encoding="utf-8"))
    keyid = document["signatures"][0]["keyid"]
    assert keyid == hashlib.sha256(public.read_bytes()).hexdigest()
    key = signer.SSlibKey(keyid, "ecdsa", "ecdsa-sha2-nistp256", {"public": public.read_text(encoding="utf-8")})
    envelope = dsse.Envelope.from_dict(document)
    assert envelope.verify([key], 1)


def test_attestation_says_what_was_not_examined(bezoar, tmp_path):
    private, _ = make_key(tmp_path)
    results = {}
    for name, data in (("good.pkl", pickle.dumps({"a": 1})), ("broken.pkl", pickle.dumps(list(range(100)))[:-7])):
        (tmp_path / name).write_bytes(data)
        done = bezoar("scan", name, "--attest", private, "--attestation", tmp_path / "a.json", "--redact")
        envelope = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
        statement = json.loads(base64.b64decode(envelope["payload"]))
        assert statement["predicate"]["report"]["redacted"] is True
        results[name] = statement["predicate"]["result"], done.returncode
    assert results == {"good.pkl": ("PASSED", 0), "broken.pkl": ("INCOMPLETE", 3)}


def test_attestation_refuses(bezoar, messages, folder, tmp_path):
    private, public = make_key(tmp_path)
    done = bezoar("scan", messages, "--label", "label", "--attest", private)
    assert done.returncode == 2 and "SHA-256" in done.stderr
    assert not (tmp_path / "bezoar.attestation.json").exists()
    for arguments, words in ((("--attest", public), "no private key"), (("--attest", tmp_path / "none"), "none"),
                             (("--attest", private, "--password-env", "BEZOAR_TEST_NONE"), "BEZOAR_TEST_NONE"),
                             (("--attest", private, "--attestation", private), "input"),
                             (("--attest", private, "--attestation", tmp_path / "no" / "a.json"), "no folder")):
        done = bezoar("scan", folder, *arguments)
        assert done.returncode in (2, 3) and words in done.stderr, done.stderr
        assert done.stdout == "", "refused before the scan"


def test_attestation_with_a_password(bezoar, folder, tmp_path):
    private, public = make_key(tmp_path)
    locked = tmp_path / "locked.pem"
    assert openssl("pkey", "-in", private, "-aes256", "-passout", "pass:open sesame", "-out", locked).returncode == 0
    for env, code in (({}, 2), ({"KEYWORD": "wrong"}, 2), ({"KEYWORD": "open sesame"}, 1)):
        options = ("--password-env", "KEYWORD") if env else ()
        done = bezoar("scan", folder, "--attest", locked, *options, env=env)
        assert done.returncode == code, done.stderr
        assert "sesame" not in done.stdout + done.stderr
    assert openssl_verifies(json.loads((tmp_path / "bezoar.attestation.json").read_text(encoding="utf-8")), public, tmp_path)


# ---- known digests


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def known(bezoar, target, listing, *options):
    """BZ-M014's findings as (severity, title), and the exit code."""
    done = bezoar("scan", target, "--known", listing, "--only", "BZ-M014", "--format", "json", *options)
    report = json.loads(done.stdout)
    return [(f["severity"], f["title"]) for f in report["findings"] if f["rule"] == "BZ-M014"], done.returncode, report


@pytest.fixture
def ordinary(tmp_path):
    root = tmp_path / "ordinary"
    (root / "sub").mkdir(parents=True)
    (root / "a.pkl").write_bytes(pickle.dumps([1]))
    (root / "sub" / "b.pkl").write_bytes(pickle.dumps([2]))
    (root / "config.json").write_text("{}")
    return root


def listings(root, tmp_path):
    """The same list in every form."""
    files = sorted(p for p in root.rglob("*") if p.is_file())
    names = {str(p.relative_to(root)): sha256(p) for p in files}
    forms = {"object": json.dumps({digest: {"name": name} for name, digest in names.items()}),
             "short": json.dumps({"sha256:" + digest.upper(): name for name, digest in names.items()}),
             "list": json.dumps([{"name": "./" + name, "sha256": digest} for name, digest in names.items()]),
             "lines": "# by hand\n" + "".join(f"{digest}  ./{name}\r\n" for name, digest in names.items()),
             "binary": "".join(f"{digest} *{name}\n" for name, digest in names.items())}
    for form, text in forms.items():
        (tmp_path / f"known.{form}").write_text(text, encoding="utf-8")
        yield tmp_path / f"known.{form}"


def test_known_files_in_every_form_of_list(bezoar, ordinary, tmp_path):
    for listing in list(listings(ordinary, tmp_path)):
        findings, code, report = known(bezoar, ordinary, listing)
        assert (findings, code) == ([("note", f"{ordinary}: 3 of 3 files are known by SHA-256")], 0), listing
        assert [r["id"] for r in report["rules"] if r["ran"]] == ["BZ-M014"]


def test_another_file_under_a_known_name(bezoar, ordinary, tmp_path):
    for listing in list(listings(ordinary, tmp_path)):
        (ordinary / "sub" / "b.pkl").write_bytes(pickle.dumps([3]))
        findings, code, report = known(bezoar, ordinary, listing)
        assert code == 1 and findings[0] == ("error", f"{ordinary}/sub/b.pkl: the list has another SHA-256 for this name")
        evidence = {e["key"]: e["text"] for e in report["findings"][0]["evidence"]}
        assert evidence["sha256"] == sha256(ordinary / "sub" / "b.pkl") != evidence["listed"]
        (ordinary / "sub" / "b.pkl").write_bytes(pickle.dumps([2]))


def test_files_that_the_list_does_not_know(bezoar, ordinary, tmp_path):
    listing = tmp_path / "known.txt"
    listing.write_text(f"{sha256(ordinary / 'a.pkl')}  elsewhere/a.pkl\n{'0' * 64}  other/b.pkl\n")
    findings, code, report = known(bezoar, ordinary, listing)
    assert code == 0 and findings == [("warning", f"{ordinary}/sub/b.pkl: its SHA-256 is not in the list"),
                                      ("note", f"{ordinary}: 1 of 3 files are known by SHA-256")]
    note = {e["key"]: e["text"] for e in report["findings"][-1]["evidence"]}
    assert note["beside_the_models_not_in_the_list"] == "config.json"
    assert known(bezoar, ordinary, listing, "--fail-on", "warning")[1] == 1


def test_an_earlier_report_is_a_list(bezoar, ordinary, tmp_path):
    bezoar("scan", ordinary, "--report", tmp_path / "r.json")
    assert known(bezoar, ordinary, tmp_path / "r.json")[0][0][1].endswith("3 of 3 files are known by SHA-256")
    (ordinary / "a.pkl").write_bytes(pickle.dumps([9]))
    assert known(bezoar, ordinary, tmp_path / "r.json")[1] == 1


@pytest.mark.parametrize("text", ["no list\n", '{"abc": {}}', '[{"name": "a"}]', "[1]", '{"' + "a" * 63 + 'g": 1}', '{"a":', "7",
                                  "0" * 64 + " a\n"])
def test_what_is_no_list_is_refused(bezoar, ordinary, tmp_path, text):
    (tmp_path / "known").write_text(text)
    done = bezoar("scan", ordinary, "--known", tmp_path / "known")
    assert done.returncode in (2, 3) and "known" in done.stderr and not done.stdout


def test_a_list_without_models_is_refused(bezoar, messages, tmp_path):
    (tmp_path / "known").write_text("0" * 64 + "  a\n")
    done = bezoar("scan", messages, "--label", "label", "--known", tmp_path / "known")
    assert done.returncode == 2 and "no model" in done.stderr


def test_a_folder_from_the_hub_says_where_it_comes_from(bezoar, tmp_path):
    """The scan itself takes base model, licence and architecture from what lies beside the weights."""
    root = tmp_path / "adapter"
    root.mkdir()
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    (root / "adapter_model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    (root / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: org/base\nlibrary_name: peft\n---\n# An adapter\n")
    (root / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "org/base", "r": 8,
                                                          "lora_alpha": 16, "target_modules": ["q_proj"]}))
    (root / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"}))
    done = bezoar("scan", root, "--sbom", tmp_path / "bom.json")
    assert "base_model: org/base" in " ".join(done.stdout.split())
    text = (tmp_path / "bom.json").read_text(encoding="utf-8")
    whole = json.loads(text)["metadata"]["component"]
    assert [a["name"] for a in whole["pedigree"]["ancestors"]] == ["org/base"]
    assert whole["licenses"][0]["license"]["id"] == "Apache-2.0" and whole["name"] == "adapter"
    assert whole["modelCard"]["modelParameters"] == {"architectureFamily": "llama", "modelArchitecture": "LlamaForCausalLM"}
    assert all(c["hashes"][0]["content"] == sha256(root / c["name"].rsplit("/", 1)[1]) for c in json.loads(text)["components"])
    assert_valid(text)


def test_a_listed_file_under_another_listed_name(bezoar, tmp_path):
    """Rolling back to, or swapping with, another good file is not what was listed."""
    import hashlib
    import pickle
    digests = {}
    for name, what in (("a.pkl", [1]), ("b.pkl", [2])):
        (tmp_path / name).write_bytes(pickle.dumps(what))
        digests[hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()] = {"name": name}
    (tmp_path / "known.json").write_text(json.dumps(digests))
    assert bezoar("scan", "a.pkl", "b.pkl", "--known", "known.json").returncode == 0
    (tmp_path / "a.pkl").write_bytes((tmp_path / "b.pkl").read_bytes())
    assert bezoar("scan", "a.pkl", "b.pkl", "--known", "known.json").returncode == 1
