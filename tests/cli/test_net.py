"""Remote paths: what https, s3, gs and hf services answer, rightly and wrongly, against a server on loopback."""
import contextlib
import json
import random
import shutil
import subprocess
import threading

import pytest

from conftest import BINARY, clean_environment, poisoned_messages, table_text
from remote_server import COMMIT, KEY_ID, SECRET, TOKEN, Remote

AWS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN,
       "AWS_REGION": "eu-central-1"}
UNSET = {name: "" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL",
                               "AWS_ENDPOINT_URL_S3", "STORAGE_EMULATOR_HOST", "GOOGLE_OAUTH_ACCESS_TOKEN", "HF_TOKEN",
                               "CLOUDSDK_AUTH_ACCESS_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "https_proxy",
                               "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
                               "CURL_CA_BUNDLE")}
MESSAGES = poisoned_messages().encode()
KEY_WORDS = ("--label", "label", "--only", "BZ-D005", "--format", "json")


@pytest.fixture
def remote():
    server = Remote()
    yield server
    server.close()


@pytest.fixture
def scan(bezoar):
    """Scans with the variables of no service but those given; the JSON report, or the failed process."""

    def run(*paths, env=None, code=1, more=KEY_WORDS):
        result = bezoar("scan", *paths, *more, env={**UNSET, **(env or {})})
        assert result.returncode == code, (result.returncode, result.stderr, result.stdout[:500])
        return json.loads(result.stdout) if code in (0, 1) else result

    return run


@pytest.fixture(autouse=True, scope="module")
def with_curl():
    with contextlib.closing(Remote()) as nothing:
        result = subprocess.run([BINARY, "scan", f"{nothing.url}/files/x.csv"], capture_output=True, text=True, check=False,
                                env=clean_environment(**UNSET))
    if "no libcurl" in result.stderr:
        pytest.skip("this build has no libcurl")


def findings(report):
    return [(f["rule"], f["rows"]) for f in report["findings"]]


def paths_of(report):
    return [f["path"] for f in report["data"]["files"]]


def local(scan, tmp_path, name="messages.tsv", body=MESSAGES):
    (tmp_path / name).write_bytes(body)
    return findings(scan(name))


def parts(n=5):
    """Messages as n files with the same header, and what the local folder of them gives."""
    lines = MESSAGES.decode().splitlines()
    return {f"part-{i}.tsv": ("\n".join([lines[0], *lines[1 + i::n]]) + "\n").encode() for i in range(n)}


# One object by plain HTTP

def test_one_file(scan, remote, tmp_path):
    remote.files["/files/m.tsv"] = MESSAGES
    report = scan(f"{remote.url}/files/m.tsv")
    assert findings(report) == local(scan, tmp_path)
    assert paths_of(report) == [f"{remote.url}/files/m.tsv"]
    assert all("Range" in headers for _, headers in remote.log)
    assert not remote.asked("files")[0][1].get("Authorization")


def test_a_large_file_comes_in_ranges_and_resumes(scan, remote, tmp_path):
    draw = random.Random(5)
    filler = draw.randbytes(2048).hex()
    body = "label,a,note\n" + "".join(f"{draw.choice('xy')},{draw.random():.3f},{filler}\n" for _ in range(4500))
    body = body.encode()
    assert len(body) > 2 * (8 << 20)
    remote.files["/files/big.csv"] = body
    remote.fail("big", 503, 2)
    remote.fail("big", "drop 300000", 3)
    remote.fail("big", 429)
    few = ("--label", "label", "--columns", "label,a", "--only", "BZ-D003", "--format", "json")
    report = scan(f"{remote.url}/files/big.csv", code=0, more=few)
    (tmp_path / "big.csv").write_bytes(body)
    assert report["data"]["files"][0]["digest"] == scan("big.csv", code=0, more=few)["data"]["files"][0]["digest"]
    firsts = {int(h["Range"][6:].split("-")[0]) for _, h in remote.log}
    assert {0, 8 << 20, 16 << 20} <= firsts
    assert any(first % (8 << 20) for first in firsts), "a dropped range is picked up, not begun again"


@pytest.mark.parametrize("fault", ["no ranges", "chunked"])
def test_a_server_without_ranges(scan, remote, tmp_path, fault):
    remote.ranges = False
    remote.files["/files/m.tsv"] = MESSAGES
    remote.fail("m.tsv", fault, 9)
    assert findings(scan(f"{remote.url}/files/m.tsv")) == local(scan, tmp_path)


def test_packed_and_empty_files(scan, remote, tmp_path):
    import gzip
    remote.files["/files/m.tsv.gz"] = gzip.compress(MESSAGES)
    assert findings(scan(f"{remote.url}/files/m.tsv.gz")) == local(scan, tmp_path)
    remote.files["/files/none.csv"] = b""
    assert "none.csv" in scan(f"{remote.url}/files/none.csv", code=3).stderr


@pytest.mark.parametrize("fault,says", [
    ("other bytes", "other bytes than it was asked for"),
    ("other total", "changed while it was read"),
    ("another version", "changed while it was read"),
    ("too long", "sends"),
    ("brotli", 'packs the content as "br"'),
])
def test_a_server_that_lies(scan, remote, fault, says):
    remote.files["/files/m.tsv"] = MESSAGES
    probe = threading.Event()

    def after_the_first(path):
        if not probe.is_set():
            probe.set()
            return None
        return fault

    remote.fault = after_the_first
    result = scan(f"{remote.url}/files/m.tsv", code=3)
    assert says in result.stderr and f"{remote.url}/files/m.tsv" in result.stderr


def test_a_body_that_may_be_cut_is_refused(scan, remote):
    remote.ranges = False
    remote.files["/files/m.tsv"] = MESSAGES
    remote.fail("m.tsv", "no length", 9)
    assert "it may be cut" in scan(f"{remote.url}/files/m.tsv", code=3).stderr


def test_a_range_that_is_shorter_than_it_says_is_completed(scan, remote, tmp_path):
    remote.files["/files/m.tsv"] = MESSAGES
    remote.fail("m.tsv", "short length", 2)
    assert findings(scan(f"{remote.url}/files/m.tsv")) == local(scan, tmp_path)


def test_an_object_replaced_between_ranges(scan, remote):
    remote.files["/files/big.csv"] = b"label,a\n" + b"x,1\ny,2\n" * (1 << 21)
    served = remote.fault

    def replace(path):
        if len(remote.log) == 2:
            remote.files["/files/big.csv"] = b"label,a\n" + b"x,1\nz,2\n" * (1 << 21)
        return served(path)

    remote.fault = replace
    assert "changed while it was read" in scan(f"{remote.url}/files/big.csv", code=3).stderr


def test_it_gives_up_in_the_end(scan, remote):
    remote.files["/files/m.tsv"] = MESSAGES
    remote.fail("m.tsv", 503, 99)
    result = scan(f"{remote.url}/files/m.tsv", code=3)
    assert "503" in result.stderr and len(remote.log) == 6


def test_a_stalled_connection_is_dropped(scan, remote, tmp_path):
    remote.files["/files/m.tsv"] = MESSAGES
    remote.fail("m.tsv", "stall", 1)
    report = scan(f"{remote.url}/files/m.tsv", more=(*KEY_WORDS, "--net-timeout", "1s"))
    assert findings(report) == local(scan, tmp_path)


def test_no_more_than_allowed(scan, remote):
    remote.files["/files/m.tsv"] = MESSAGES
    for ranges in (True, False):
        remote.ranges = ranges
        assert "--max-download" in scan(f"{remote.url}/files/m.tsv", code=3,
                                        more=(*KEY_WORDS, "--max-download", "1K")).stderr


def test_one_missing_among_others(scan, remote, tmp_path):
    for name, body in parts(2).items():
        remote.files[f"/files/{name}"] = body
    urls = [f"{remote.url}/files/{n}" for n in ("part-0.tsv", "gone.tsv", "part-1.tsv")]
    result = scan(*urls, code=1)
    assert paths_of(result) == [urls[0], urls[2]]
    assert any(n["what"] == urls[1] for n in result["not_checked"])


def test_a_local_and_a_remote_file_are_one_data_set(scan, remote, tmp_path):
    files = parts(2)
    remote.files["/files/part-1.tsv"] = files["part-1.tsv"]
    (tmp_path / "part-0.tsv").write_bytes(files["part-0.tsv"])
    assert len(paths_of(scan("part-0.tsv", f"{remote.url}/files/part-1.tsv"))) == 2


# Secrets

def test_signed_urls_leave_no_trace(scan, bezoar, remote, tmp_path):
    remote.files["/files/m.tsv"] = MESSAGES
    url = f"{remote.url}/files/m.tsv?X-Amz-Signature=very-secret&x=1"
    for form in ("json", "text", "html", "sarif", "md", "junit"):
        result = bezoar("scan", url, "--label", "label", "--only", "BZ-D005", "--format", form, env=UNSET)
        assert result.returncode == 1
        assert "very-secret" not in result.stdout + result.stderr
        assert form != "json" or "/files/m.tsv" in result.stdout
    assert remote.asked("very-secret")
    del remote.files["/files/m.tsv"]
    for option in ((), ("--labels-file", url), ("--golden", url), ("--reference-data", url), ("--embeddings", url),
                   ("--baseline", url), ("--suppress", url)):
        (tmp_path / "m.tsv").write_bytes(MESSAGES)
        result = bezoar("scan", "m.tsv" if option else url, *option, *KEY_WORDS, env=UNSET)
        assert result.returncode in (2, 3), (option, result.stdout)
        assert "very-secret" not in result.stdout + result.stderr, option


def test_two_queries_of_one_path_are_two_files(scan, remote):
    remote.files["/files/m.csv"] = table_text().encode()
    url, few = f"{remote.url}/files/m.csv", ("--label", "label", "--only", "BZ-D003", "--format", "json")
    report = scan(f"{url}?part=1", f"{url}?part=2", more=few, code=0)
    assert paths_of(report) == [url, f"{url}#2"]
    assert len(paths_of(scan(url, url, more=few, code=0))) == 1


def test_user_and_password_in_a_url_are_refused(scan, remote):
    result = scan(f"http://me:pass-word@127.0.0.1:{remote.port}/files/m.tsv", code=2)
    assert "pass-word" not in result.stderr and not remote.log


def test_plain_http_elsewhere_is_refused(scan):
    for url in ("http://example.org/x.csv", "http://127.evil.example/x.csv", "http://localhost.evil.example/x.csv"):
        assert "use https://" in scan(url, code=2).stderr


@pytest.mark.parametrize("target", ["http://example.org/x.csv", "ftp://127.0.0.1/x.csv", "file:///etc/passwd"])
def test_redirects_to_less_private_places_are_refused(scan, remote, target):
    remote.fail("m.tsv", f"redirect {target}", 9)
    assert "redirects" in scan(f"{remote.url}/files/m.tsv", code=3).stderr


def test_redirects_that_never_end(scan, remote):
    remote.fail("m.tsv", f"redirect {remote.url}/files/m.tsv", 99)
    assert "more than 5 redirects" in scan(f"{remote.url}/files/m.tsv", code=3).stderr


# TLS

@pytest.fixture
def tls(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("the openssl command is not there")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem",
                    "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True)
    server = Remote(tls=(tmp_path / "cert.pem", tmp_path / "key.pem"))
    yield server
    server.close()


def test_tls_is_verified_always(scan, tls, remote, tmp_path):
    tls.files["/files/m.tsv"] = remote.files["/files/m.tsv"] = MESSAGES
    url = f"{tls.url}/files/m.tsv"
    assert "certificate cannot be trusted" in scan(url, code=3).stderr
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        assert findings(scan(url, env={name: tmp_path / "cert.pem"})) == local(scan, tmp_path)
    wrong_name = scan(f"https://localhost:{tls.port}/files/m.tsv", code=3, env={"SSL_CERT_FILE": tmp_path / "cert.pem"})
    assert "certificate cannot be trusted" in wrong_name.stderr
    tls.fail("m.tsv", f"redirect {remote.url}/files/m.tsv", 9)
    assert "unencrypted" in scan(url, code=3, env={"SSL_CERT_FILE": tmp_path / "cert.pem"}).stderr
    assert not remote.log


# S3

@pytest.fixture
def s3(remote):
    remote.signed = True
    for name, body in parts().items():
        remote.files[f"data.set/train/{name}"] = body
    remote.files["data.set/train/_SUCCESS"] = remote.files["data.set/train/.hidden"] = b"x"
    remote.files["data.set/train/"] = b""
    remote.files["data.set/odd/a b+c&<ü>.tsv"] = MESSAGES
    return remote, {**AWS, "AWS_ENDPOINT_URL": remote.url}


def test_s3_object_and_prefix(scan, s3, tmp_path):
    remote, env = s3
    for name, body in parts().items():
        (tmp_path / "train" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "train" / name).write_bytes(body)
    whole = findings(scan("train"))
    report = scan("s3://data.set/train/", env=env)
    assert findings(report) == whole
    assert paths_of(report) == [f"s3://data.set/train/part-{i}.tsv" for i in range(5)]
    assert findings(scan("s3://data.set/train", env=env)) == whole, "a folder without its slash"
    assert len(paths_of(scan("s3://data.set/train/part-[01].tsv", env=env))) == 2
    assert len(paths_of(scan("s3://data.set/train/", env=env, more=(*KEY_WORDS, "--exclude", "part-3*")))) == 4
    assert len(paths_of(scan("s3://data.set/train/part-1.tsv", "s3://data.set/train/", env=env))) == 5
    assert paths_of(scan("s3://data.set/odd/", env=env)) == ["s3://data.set/odd/a b+c&<ü>.tsv"]
    assert all(SECRET not in str(entry) for entry in remote.log)


def test_s3_without_and_with_wrong_credentials(scan, s3):
    _, env = s3
    nobody = {"AWS_ENDPOINT_URL": env["AWS_ENDPOINT_URL"]}
    assert "403 (SignatureDoesNotMatch)" in scan("s3://data.set/train/", env=nobody, code=3).stderr
    wrong = scan("s3://data.set/train/part-0.tsv", env={**env, "AWS_SECRET_ACCESS_KEY": "wrong-one"}, code=3)
    assert "403" in wrong.stderr and "wrong-one" not in wrong.stderr


def test_s3_not_there(scan, s3):
    _, env = s3
    assert "no data file" in scan("s3://data.set/nothing/", env=env, code=3).stderr
    assert "is not there" in scan("s3://data.set/nothing.csv", env=env, code=3).stderr
    for name in ("s3://", "s3:///key", "s3://bad_host@evil/key", "s3://a#b/c"):
        assert scan(name, env=env, code=2).stderr


@pytest.mark.parametrize("fault", ["endless", "broken listing"])
def test_s3_listings_that_lie(scan, s3, fault):
    remote, env = s3
    remote.fail("list-type", fault, 99)
    assert "listing" in scan("s3://data.set/train/", env=env, code=3).stderr


def test_s3_listing_is_asked_for_again(scan, s3):
    remote, env = s3
    remote.fail("list-type", 503, 2)
    remote.fail("list-type", "hang up", 1)
    assert len(paths_of(scan("s3://data.set/train/", env=env))) == 5


def test_s3_object_that_changes(scan, s3):
    remote, env = s3
    remote.fail("part-3.tsv", 412, 9)
    report = scan("s3://data.set/train/", env=env)
    assert len(paths_of(report)) == 4
    assert any("changed while it was read" in n["reason"] and n["what"].endswith("part-3.tsv")
               for n in report["not_checked"])
    assert len(remote.asked("part-1.tsv")) == 1, "what has come is not fetched again"


def test_s3_redirects_are_not_followed(scan, s3):
    remote, env = s3
    remote.fail("part-0.tsv", f"redirect {remote.url}/data.set/train/part-1.tsv", 9)
    assert "302" in scan("s3://data.set/train/part-0.tsv", env=env, code=3).stderr


# Google Cloud Storage

def test_gs(scan, remote, tmp_path):
    for name, body in parts().items():
        remote.files[f"data_set/train/{name}"] = body
    remote.files["data_set/odd/a b+c%&<ü>.tsv"] = MESSAGES
    remote.bearer = "google-token"
    env = {"STORAGE_EMULATOR_HOST": remote.url, "GOOGLE_OAUTH_ACCESS_TOKEN": "google-token"}
    report = scan("gs://data_set/train/", env=env)
    assert paths_of(report) == [f"gs://data_set/train/part-{i}.tsv" for i in range(5)]
    assert findings(scan("gs://data_set/train", env=env)) == findings(report)
    assert findings(scan("gs://data_set/odd/a b+c%&<ü>.tsv", env=env)) == local(scan, tmp_path)
    bare = {**env, "STORAGE_EMULATOR_HOST": f"127.0.0.1:{remote.port}"}
    assert len(paths_of(scan("gs://data_set/train/part-*", env=bare))) == 5
    missing = scan("gs://data_set/nothing", env=env, code=3)
    assert "is not there" in missing.stderr
    assert "401" in scan("gs://data_set/train/", env={**env, "GOOGLE_OAUTH_ACCESS_TOKEN": "x"}, code=3).stderr
    remote.fail("part-3.tsv.alt", "another version", 1)
    assert len(paths_of(scan("gs://data_set/train/", env=env))) == 4


# The Hugging Face hub

@pytest.fixture
def hub(remote):
    for name, body in parts().items():
        remote.files[f"datasets/org/name/data/{name}"] = body
    remote.files["datasets/org/name/README.md"] = b"# A card\n"
    remote.files["datasets/org/name/.gitattributes"] = b"*.tsv text\n"
    remote.bearer = "hf-token"
    return remote, {"HF_ENDPOINT": remote.url, "HF_TOKEN": "hf-token"}


def test_hf(scan, hub):
    remote, env = hub
    report = scan("hf://org/name", env=env)
    assert paths_of(report) == [f"hf://org/name/data/part-{i}.tsv" for i in range(5)]
    for path in ("hf://datasets/org/name", "hf://org/name@main/data", "hf://org/name@v1/data/",
                 "hf://datasets/org/name@refs%2Fconvert%2Fparquet/data", "hf://org/name@refs/convert/parquet",
                 "hf://org/name/data/part-*.tsv"):
        assert findings(scan(path, env=env)) == findings(report), path
    one = scan("hf://org/name@main/data/part-3.tsv", env=env)
    assert paths_of(one) == ["hf://org/name@main/data/part-3.tsv"]
    assert all(COMMIT in path for path, _ in remote.asked("/resolve/"))
    assert "404" in scan("hf://org/name@nothing", env=env, code=3).stderr
    assert "401 (GatedRepo)" in scan("hf://org/name", env={**env, "HF_TOKEN": "x"}, code=3).stderr
    for path in ("hf://name", "hf://org/", "hf://org/name@", "hf://org/../name/x"):
        assert scan(path, env=env, code=2).stderr


def test_hf_tokens_stay_with_the_hub(scan, hub):
    remote, env = hub
    with contextlib.closing(Remote()) as cdn:
        remote.cdn = cdn
        assert len(paths_of(scan("hf://org/name", env=env))) == 5
        assert cdn.log and all("Authorization" not in headers for _, headers in cdn.log)
        assert all(headers.get("Authorization") == "Bearer hf-token" for _, headers in remote.log)
        result = scan("hf://org/name", env={**env, "HF_ENDPOINT": cdn.url}, code=3)
        assert "cdn-secret" not in result.stderr


# Pictures, models

def test_pictures_of_a_prefix(scan, remote, tmp_path):
    for label, shade in (("dark", 40), ("light", 200)):
        for i in range(12):
            body = bytes((shade + i + k) % 256 for k in range(16 * 16 * 3))
            remote.files[f"pics/train/{label}/{i}.ppm"] = b"P6\n16 16\n255\n" + body
    env = {"AWS_ENDPOINT_URL_S3": remote.url}
    report = scan("s3://pics/train/", env=env, code=0, more=("--only", "BZ-D010", "--format", "json"))
    assert report["data"]["rows"] == 24
    assert len(remote.asked(r"\.ppm")) == 24, "each picture is fetched once"


def test_models_are_named(scan, remote):
    remote.files["/files/m.pkl"] = b"\x80\x04\x95" + bytes(range(1, 200))
    assert "pickle" in scan(f"{remote.url}/files/m.pkl", code=3).stderr


# Where URLs cannot be used

def test_nothing_is_written_to_a_url(bezoar, remote, messages):
    url = f"{remote.url}/files/out.json?sig=very-secret"
    runs = [("scan", messages, "--label", "label", "--report", f"json:{url}"),
            ("scan", messages, "--label", "label", "--rows", "s3://bucket/rows.csv"),
            ("scan", messages, "--label", "label", "-o", "gs://bucket/report.json"),
            ("clean", messages, "--from", "r.json", "-o", "s3://bucket/clean.tsv"),
            ("poison", messages, "--attack", "flips", "--label", "label", "--rows", "3", "-o", "hf://a/b/c.csv",
             "--answer-key", "k.json")]
    for args in runs:
        result = bezoar(*args, env=UNSET)
        assert result.returncode == 2 and "URL" in result.stderr, (args, result.stderr)
        assert "very-secret" not in result.stderr
    assert not remote.log


def test_clean_and_poison_want_local_files(bezoar, remote, messages):
    bezoar("scan", messages, "--label", "label", "--report", "r.json")
    url = f"{remote.url}/files/m.tsv?sig=very-secret"
    for args in (("clean", url, "--from", "r.json", "-o", "c.tsv"),
                 ("poison", url, "--attack", "flips", "--label", "label", "--rows", "3", "-o", "p.tsv", "--answer-key",
                  "k.json")):
        result = bezoar(*args, env=UNSET)
        assert result.returncode == 2 and "download it first" in result.stderr, result.stderr
        assert "very-secret" not in result.stderr
    assert not remote.log


def test_states_are_of_local_files(bezoar, remote, messages):
    remote.files["/files/m.tsv"] = MESSAGES
    bezoar("scan", messages, "--label", "label", "--shard", "1/1", "--save", "s.bez")
    for args in (("--shard", "1/2", "--save", "t.bez"), ("--save", "t.bez"), ("--with", "s.bez")):
        result = bezoar("scan", f"{remote.url}/files/m.tsv?sig=very-secret", "--label", "label", *args, env=UNSET)
        assert result.returncode == 2 and "download it first" in result.stderr, (args, result.stderr)
        assert "very-secret" not in result.stderr
    for args in (("scan", messages, "--label", "label", "--save", "s3://bucket/t.bez"),
                 ("merge", "s.bez", "-o", "s3://bucket/t.bez")):
        result = bezoar(*args, env=UNSET)
        assert result.returncode == 2 and "URL" in result.stderr, (args, result.stderr)
    assert not remote.log


def test_no_network_is_said(bezoar):
    for prefix in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            break
    else:
        pytest.skip("this machine allows no network namespace")
    result = bezoar("scan", "s3://bucket/key.csv", env=UNSET, prefix=prefix)
    assert result.returncode == 3 and "s3://bucket/key.csv" in result.stderr
