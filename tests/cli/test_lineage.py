"""bezoar vault run, rerun, model, metadata: how data came from data, and models from data."""
import base64
import hashlib
import json
import os
import sys
import uuid

import pytest

from vault_helper import Vault

RAW = "id,text,label\n1,alpha,a\n2,beta,b\n3,gamma,a\n"
UPPER = """import sys
lines = open(sys.argv[1]).read().splitlines()
open(sys.argv[2], "w").write("\\n".join([lines[0]] + [line.upper() for line in lines[1:]]) + "\\n")
"""


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path, epoch=1_700_000_000)
    made.source("web")
    made.contributor("alice", sources=["web"])
    made.contributor("rita", roles=["read"])
    made.add_commit("raw.csv", RAW, key="alice")
    return made


def run(vault, *words, **how):
    return json.loads(vault.run("run", "--json", *words, **how).stdout)


def upper(vault, *more, **how):
    vault.write("upper.py", UPPER)
    return run(vault, "--in", "raw.csv@1", "--out", "upper.csv", "--use", "upper.py", "--source", "web", "--key",
                      "alice", *more, "--", sys.executable, "upper.py", "raw.csv", "upper.csv", **how)


def entries(vault, kind):
    return [entry for entry in vault.log() if entry["type"] == kind]


def statement_of(vault, answer):
    """The envelope as the vault keeps it, and what it says."""
    envelope = json.loads(vault.run("statement", answer["run"]).stdout)
    return envelope, json.loads(base64.b64decode(envelope["payload"]))


def test_a_run_is_recorded(vault):
    answer = upper(vault)
    made = (vault.root / "upper.csv").read_bytes()
    assert made.splitlines()[1] == b"1,ALPHA,A"
    assert answer["outputs"][0]["sha256"] == hashlib.sha256(made).hexdigest()
    assert [(item["name"], item["version"]) for item in answer["commit"]["datasets"]] == [("upper.csv", 1)]
    run, = entries(vault, "run")
    assert run["id"] == answer["run"] and run["by"] == "alice"
    assert run["entry"]["inputs"] == [{"dataset": "raw.csv", "version": 1}]
    submission = entries(vault, "submission")[-1]
    assert submission["entry"]["run"] == answer["run"] and submission["entry"]["dataset"] == "upper.csv"
    assert any(e["entry"]["op"] == "run" and e["by"] == "alice" for e in entries(vault, "access"))
    assert vault.checkout("upper.csv@1") == made


def test_inputs_are_checked_out_or_must_be_right(vault):
    vault.add_commit("raw.csv", RAW + "4,delta,b\n", key="alice")
    done = vault.call("vault", "run", "--in", "raw.csv@1", "--out", "o.csv", "--source", "web", "--key", "alice", "--",
                      "cp", "raw.csv", "o.csv")
    assert done.returncode == 2 and "is not raw.csv@1" in done.stderr and not entries(vault, "run")
    answer = run(vault, "--in", "raw.csv@1=old/in.csv", "--out", "o.csv=made/o.csv", "--source", "web", "--key",
                        "alice", "--", "cp", "old/in.csv", "made/o.csv")
    assert (vault.root / "old" / "in.csv").read_text() == RAW
    assert answer["outputs"][0] == {"dataset": "o.csv", "path": "made/o.csv",
                                    "sha256": hashlib.sha256(RAW.encode()).hexdigest()}


@pytest.mark.parametrize("command,what", [
    (["false"], "exit code 1"),
    (["true"], "upper.csv"),
    (["sh", "-c", "echo x >> raw.csv; echo y > upper.csv"], "changed this input"),
    (["no-such-command-at-all"], "no such command"),
    (["sh", "-c", "ln -s /etc/passwd upper.csv"], "upper.csv"),
])
def test_what_fails_leaves_no_record(vault, command, what):
    done = vault.call("vault", "run", "--in", "raw.csv@1", "--out", "upper.csv", "--source", "web", "--key", "alice",
                      "--", *command)
    assert done.returncode in (2, 3) and what in done.stderr, done.stderr
    assert not entries(vault, "run") and len(entries(vault, "submission")) == 1


def test_an_output_that_nobody_wrote(vault):
    vault.write("upper.csv", "old\n")
    done = vault.call("vault", "run", "--out", "upper.csv", "--source", "web", "--key", "alice", "--", "true")
    assert done.returncode == 3 and "did not write it" in done.stderr


@pytest.mark.parametrize("words", [
    ["--out", "../x", "--source", "web"],
    ["--out", "x=/etc/x", "--source", "web"],
    ["--in", "raw.csv@1=../raw.csv", "--out", "x", "--source", "web"],
    ["--use", "../x", "--out", "x", "--source", "web"],
    ["--out", "x"],
    ["--out", "x", "--source", "nowhere"],
    ["--source", "web"],
    ["--in", "raw.csv@9", "--out", "x", "--source", "web"],
])
def test_lines_that_are_wrong(vault, words):
    done = vault.call("vault", "run", *words, "--key", "alice", "--", "true")
    assert done.returncode in (1, 2), done.stderr
    assert not entries(vault, "run")


def test_a_python_that_says_nothing(vault):
    """Called python, and silent when it is asked for its packages."""
    python = vault.write("python-quiet", "#!/bin/sh\n[ \"$1\" = -c ] || echo x > upper.csv\n")
    job = vault.write("job", f"#!{python}\n")
    python.chmod(0o755)
    job.chmod(0o755)
    answer = run(vault, "--out", "upper.csv", "--source", "web", "--key", "alice", "--", "./job")
    assert answer["run"] and (vault.root / "upper.csv").read_text() == "x\n"


def test_who_may_run(vault):
    done = vault.call("vault", "run", "--out", "x", "--source", "web", "--key", "rita", "--", "sh", "-c", "echo x > x")
    assert done.returncode == 1 and "refused" in done.stderr and not (vault.root / "x").exists()


def test_staged_alone(vault):
    answer = upper(vault, "--no-commit")
    assert answer["commit"] is None
    assert vault.json("commit", "-m", "later", "--key", "alice")["datasets"][0]["name"] == "upper.csv"


def test_a_run_is_repeated(vault, tmp_path):
    answer = upper(vault)
    again = vault.json("rerun", answer["run"][:8], "--check")
    assert again["same"] and again["ok"] and again["by"] == "alice" and again["outputs"][0]["same"]
    assert again["environment"] == []
    vault.run("rerun", answer["run"], "-o", tmp_path / "again")
    assert (tmp_path / "again" / "upper.csv").read_bytes() == (vault.root / "upper.csv").read_bytes()
    assert sorted(os.listdir(tmp_path / "again")) == ["raw.csv", "upper.csv", "upper.py"]
    assert vault.call("vault", "rerun", answer["run"], "-o", tmp_path / "again").returncode == 3
    for bad in ("12345", "zzzzzzz", "0" * 64):
        assert vault.call("vault", "rerun", bad).returncode == 2


def test_a_run_that_does_not_repeat(vault):
    vault.write("chance.py", "import os\nopen('out.bin', 'wb').write(os.urandom(32))\n")
    answer = run(vault, "--out", "out.bin", "--use", "chance.py", "--source", "web", "--key", "alice", "--",
                        sys.executable, "chance.py")
    again = vault.json("rerun", answer["run"], "--check", code=1)
    assert not again["same"] and again["outputs"][0]["why"] == "its bytes are others"
    assert not vault.json("rerun", answer["run"])["same"]


def test_variables_come_back(vault):
    vault.write("say.py", "import os\nopen('said', 'w').write(os.environ.get('COLOUR', 'none'))\n")
    answer = run(vault, "--out", "said", "--use", "say.py", "--env", "COLOUR", "--source", "web", "--key", "alice",
                        "--", sys.executable, "say.py", env={"COLOUR": "red"})
    assert (vault.root / "said").read_text() == "red"
    assert vault.json("rerun", answer["run"], "--check", env={"COLOUR": "blue"})["same"]


def test_folders_are_outputs_too(vault):
    vault.write("split.py", "import os\nos.makedirs('parts/b')\nopen('parts/a.txt', 'w').write('a')\n"
                            "open('parts/b/c.txt', 'w').write('c')\n")
    answer = run(vault, "--out", "parts", "--use", "split.py", "--source", "web", "--key", "alice", "--",
                        sys.executable, "split.py")
    digests = b"".join(hashlib.sha256(text).digest() for text in (b"a", b"c"))
    assert answer["outputs"][0]["sha256"] == hashlib.sha256(digests).hexdigest()
    assert vault.json("rerun", answer["run"], "--check")["same"]


def test_a_revoked_recorder_is_not_run(vault):
    answer = upper(vault)
    vault.tick(10)
    key = entries(vault, "run")[0]["key"]
    vault.run("trust", "revoke", key, "--since", "2023-11-01", "--reason", "found out")
    done = vault.call("vault", "rerun", answer["run"])
    assert done.returncode == 1 and "revoked" in done.stderr


def test_a_stolen_key_cannot_date_back(vault):
    """The run says an earlier time than `since`; the log holds a commit of a later one before it."""
    now = vault.epoch
    vault.tick(1000)
    vault.add_commit("later.csv", RAW, key="alice")
    vault.epoch = now
    answer = upper(vault, "--no-commit")
    vault.epoch = now + 2000
    key = entries(vault, "run")[0]["key"]
    vault.run("trust", "revoke", key, "--since", "2023-11-14T22:20:00Z", "--reason", "stolen")  # now + 400
    done = vault.call("vault", "rerun", answer["run"])
    assert done.returncode == 1 and "revoked" in done.stderr


def test_models(vault, tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    answer = vault.json("model", "add", model, "--trained-on", "raw.csv@1", "--key", "alice")
    assert answer["sha256"] == hashlib.sha256(b"weights").hexdigest() and answer["name"] == "model.bin"
    assert answer["trained_on"][0]["dataset"] == "raw.csv" and answer["trained_on"][0]["version"] == 1
    folder = tmp_path / "net"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "x").write_text("x")
    (folder / "b").write_bytes(b"2")
    (folder / "a").write_bytes(b"1")
    run = upper(vault)
    answer = vault.json("model", "add", folder, "--trained-on", "raw.csv@1", "--by", run["run"], "--name", "net v1",
                        "--key", "alice")
    digests = hashlib.sha256(b"1").digest() + hashlib.sha256(b"2").digest()
    assert answer["sha256"] == hashlib.sha256(digests).hexdigest() and answer["run"] == run["run"]
    models = vault.json("model", "list")["models"]
    assert [model["name"] for model in models] == ["model.bin", "net v1"] and models[1]["by"] == "alice"
    assert vault.call("vault", "model", "add", model, "--trained-on", "upper.csv@1", "--by", run["run"], "--key",
                      "alice").returncode == 2  # the run did not read it
    assert vault.call("vault", "model", "add", model, "--trained-on", "raw.csv@1", "--key", "rita").returncode == 1
    assert "net v1" in vault.run("model", "list").stdout


def test_a_folder_has_the_digest_that_is_signed(vault, bezoar, tmp_path):
    folder = tmp_path / "net"
    (folder / "sub").mkdir(parents=True)
    for name in ("z", "a", "sub/m", "sub.x"):
        (folder / name).write_text(name)
    answer = vault.json("model", "add", folder, "--trained-on", "raw.csv@1", "--key", "alice")
    os.system(f"openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {tmp_path}/k.pem 2>/dev/null")
    done = bezoar("model", "sign", folder, "--key", tmp_path / "k.pem")
    assert f"sha256:{answer['sha256']}" in done.stdout
    assert vault.json("model", "add", folder, "--trained-on", "raw.csv@1", "--key", "alice")["sha256"] == answer["sha256"]


def test_the_statement_says_what_happened(vault):
    answer = upper(vault)
    envelope, statement = statement_of(vault, answer)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    assert statement["subject"] == [{"name": "upper.csv", "digest": {"sha256": answer["outputs"][0]["sha256"]}}]
    definition = statement["predicate"]["buildDefinition"]
    assert definition["externalParameters"]["command"][1:] == ["upper.py", "raw.csv", "upper.csv"]
    names = {item["name"]: item for item in definition["resolvedDependencies"]}
    assert names["raw.csv"]["digest"]["sha256"] == hashlib.sha256(RAW.encode()).hexdigest()
    assert names["upper.py"]["digest"]["sha256"] == hashlib.sha256(UPPER.encode()).hexdigest()
    facts = definition["internalParameters"]["environment"]["facts"]
    program = os.path.realpath(sys.executable)
    assert facts["program"] == program
    assert facts["program sha256"] == hashlib.sha256(open(program, "rb").read()).hexdigest()
    assert facts["package pytest"] == pytest.__version__  # of the environment that it was called in


def verify_key(public):
    """The public half as securesystemslib has keys; keyid: the fingerprint, as envelopes name it."""
    from securesystemslib.signer import SSlibKey

    blob = base64.b64decode(public.read_text().split()[1])
    fingerprint = "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return SSlibKey(fingerprint, "ed25519", "ed25519", {"public": blob[-32:].hex()})


def test_others_verify_the_statement(vault):
    pytest.importorskip("securesystemslib")
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    envelope, _ = statement_of(vault, upper(vault))
    alice = verify_key(vault.home / "keys" / "alice.pub")
    assert list(Envelope.from_dict(json.loads(json.dumps(envelope))).verify([alice], 1)) == [alice.keyid]
    payload = bytearray(base64.b64decode(envelope["payload"]))
    payload[payload.index(b"upper.csv")] ^= 1
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(VerificationError):
        Envelope.from_dict(envelope).verify([alice], 1)


def test_others_read_the_statement(vault):
    pytest.importorskip("in_toto_attestation")
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    _, statement = statement_of(vault, upper(vault))
    read = Statement.copy_from_pb(json_format.ParseDict(statement, statement_pb2.Statement()))
    read.validate()
    provenance = json_format.ParseDict(statement["predicate"], Provenance())
    assert provenance.build_definition.build_type == "urn:bezoar:run:1"
    assert provenance.run_details.builder.id.startswith("urn:bezoar:vault:")
    assert provenance.run_details.metadata.started_on.seconds == vault.epoch


# ---- descriptions ------------------------------------------------------------------------------------------------------

TYPED = 'id,text,price,good,"a ""b"", c"\n1,alpha,1.5,true,x\n2,beta,2,false,\n'


def metadata(vault, version, form):
    return json.loads(vault.run("metadata", version, f"--{form}").stdout)


def test_croissant(vault):
    vault.add_commit("typed.csv", TYPED, key="alice")
    said = metadata(vault, "typed.csv@1", "croissant")
    assert said["conformsTo"] == "http://mlcommons.org/croissant/1.0" and said["license"] == "CC0-1.0"
    assert said["distribution"][0]["sha256"] == hashlib.sha256(TYPED.encode()).hexdigest()
    fields = {field["name"]: field["dataType"] for field in said["recordSet"][0]["field"]}
    assert fields == {"id": "sc:Integer", "text": "sc:Text", "price": "sc:Float", "good": "sc:Boolean", 'a "b", c': "sc:Text"}
    assert [person["name"] for person in said["creator"]] == ["alice"]


@pytest.mark.nightly
@pytest.mark.parametrize("name,text", [
    ("typed.csv", TYPED), ("rows.jsonl", '{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n'), ("blob.bin", "\0\1\2")])
def test_mlcroissant_reads_it(vault, name, text):
    """The reference implementation checks the description and reads the rows by it."""
    mlcroissant = pytest.importorskip("mlcroissant")
    vault.add_commit(name, text, key="alice")
    vault.run("metadata", f"{name}@1", "--croissant", "-o", "croissant.json")
    dataset = mlcroissant.Dataset(jsonld=str(vault.root / "croissant.json"))
    assert not dataset.metadata.issues.errors, dataset.metadata.issues.report()
    if name != "blob.bin":
        rows = list(dataset.records("rows"))
        assert len(rows) == 2 and [row["rows/1"] for row in rows] == [1, 2]


def test_cyclonedx(vault):
    validation = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    for name, text in (("typed.csv", TYPED), ("blob.bin", "\0\1")):
        vault.add_commit(name, text, key="alice")
        text = vault.run("metadata", f"{name}@1", "--cyclonedx").stdout
        assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    component, = metadata(vault, "typed.csv@1", "cyclonedx")["components"]
    assert component["type"] == "data" and component["data"][0]["type"] == "dataset"
    assert component["hashes"][0]["content"] == hashlib.sha256(TYPED.encode()).hexdigest()


def test_openlineage(vault):
    event = metadata(vault, "raw.csv@1", "openlineage")
    assert event["schemaURL"].endswith("DatasetEvent") and event["dataset"]["name"] == "raw.csv"
    assert [field["name"] for field in event["dataset"]["facets"]["schema"]["fields"]] == ["id", "text", "label"]
    upper(vault)
    event = metadata(vault, "upper.csv@1", "openlineage")
    assert event["schemaURL"].endswith("RunEvent") and event["eventType"] == "COMPLETE"
    assert [item["name"] for item in event["inputs"]] == ["raw.csv"]
    assert [item["name"] for item in event["outputs"]] == ["upper.csv"]
    assert str(uuid.UUID(event["run"]["runId"])) == event["run"]["runId"]
    for facet in event["outputs"][0]["facets"].values():
        assert facet["_producer"].startswith("urn:bezoar:") and facet["_schemaURL"].startswith("https://openlineage.io/")


def test_dta(vault):
    said = metadata(vault, "raw.csv@1", "dta")
    assert set(said) == {"source", "provenance", "use"}
    assert said["source"]["title"] == "raw.csv" and said["source"]["version"] == "1.0.0"
    assert said["provenance"]["date"] == "2023-11-14" and said["provenance"]["format"] == ["text/csv"]
    assert said["use"]["license"] == ["CC0-1.0"] and said["source"]["issuer"][0]["name"] == "web publisher"


def test_one_form_at_a_time(vault):
    assert vault.call("vault", "metadata", "raw.csv@1").returncode == 2
    assert vault.call("vault", "metadata", "raw.csv@1", "--dta", "--croissant").returncode == 2
    assert vault.call("vault", "metadata", "raw.csv@7", "--dta").returncode == 2


def test_folders_are_described(vault):
    (vault.root / "docs").mkdir()
    vault.write("docs/a.bin", b"\0\1")
    vault.write("docs/b.csv", "x\n1\n")
    vault.add_commit("docs", key="alice")
    said = metadata(vault, "docs@1", "croissant")
    assert said["distribution"][0]["@type"] == "cr:FileSet"
    for form in ("openlineage", "dta", "cyclonedx"):
        metadata(vault, "docs@1", form)
