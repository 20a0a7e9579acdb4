"""Remote paths from Python: Parquet behind s3, the options, the errors."""
import contextlib
import io
import json
import pathlib
import sys

import bezoar
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from remote_server import Remote  # noqa: E402  (it lies with the command-line tests)


@pytest.fixture
def remote(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BEZOAR_PYTHON", sys.executable)
    with contextlib.closing(Remote()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        yield server


def data_of(*args, **options):
    return json.loads(bezoar.scan(*args, **options).to_json())["data"]


def test_parquet_behind_s3(remote):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    for part in range(3):
        table = pyarrow.table({"a": [float(i * i % 97) for i in range(400)], "label": ["x", "y"] * 200})
        out = io.BytesIO()
        pyarrow.parquet.write_table(table, out)
        remote.files[f"lake/part={part}/x.parquet"] = out.getvalue()
    data = data_of("s3://lake/", label="label")
    assert data["rows"] == 1200
    assert {"a", "label", "part"} <= {c["name"] for c in data["columns"]}
    assert [f["path"] for f in data["files"]] == [f"s3://lake/part={part}/x.parquet" for part in range(3)]
    assert data_of("s3://lake/part=1/", label="label")["rows"] == 400


def test_options_and_errors(remote):
    remote.files["b/x.csv"] = b"a,label\n" + b"1,x\n2,y\n" * 500
    assert data_of("s3://b/x.csv", label="label", net_timeout=5.0)["rows"] == 1000
    with pytest.raises(bezoar.LimitError, match="max-download"):
        bezoar.scan("s3://b/x.csv", label="label", max_download=100)
    with pytest.raises(bezoar.UsageError, match="download it first"):
        bezoar.clean("s3://b/x.csv", bezoar.scan("s3://b/x.csv", label="label"), "out.csv")
