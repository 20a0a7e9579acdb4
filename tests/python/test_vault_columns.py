"""Parquet and Arrow files in a vault: bit by bit back, the same rows as the same table in CSV and JSON lines, and rows
as Parquet."""
import datetime
import decimal
import json
import os
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("BEZOAR_BIN", ROOT / "build" / "bezoar")).resolve()


class Vault:
    def __init__(self, folder):
        self.root = folder / "data"
        self.root.mkdir()
        self.env = {**os.environ, "BEZOAR_HOME": str(folder / "home"), "BEZOAR_PYTHON": sys.executable, "LC_ALL": "C.UTF-8"}
        self.env.pop("BEZOAR_DUCKDB", None)
        self.run("init")
        self.run("source", "add", "web", "--uri", "https://example.org", "--publisher", "P", "--licence", "CC0-1.0")

    def run(self, *words, code=0, **env):
        result = subprocess.run([str(BINARY), "vault", *map(str, words)], cwd=self.root, env={**self.env, **env},
                                capture_output=True, text=True, check=False)
        assert result.returncode == code, result.stderr
        return result

    def add(self, name):
        self.run("add", name, "--source", "web", "-m", "more")
        log = json.loads(self.run("log", "--type", "submission", "--json").stdout)
        return log["entries"][-1]["entry"]

    def checkout(self, name):
        target = self.root.parent / ("out-" + name)
        self.run("checkout", name, "-o", target, "--force")
        return target.read_bytes()


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path)


def plain_rows(count=3000):
    return [{"i": i * 7 - 100, "f": i / 8, "small": 10.0 ** -(i % 30), "s": f'räw {i}, "q"', "b": i % 2 == 0,
             "n": None if i % 3 else i * 10**12, "d": "" if i % 5 else "  edge  "} for i in range(count)]


def write_arrow(table, path, stream):
    with pa.OSFile(str(path), "wb") as file:
        with (pa.ipc.new_stream if stream else pa.ipc.new_file)(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=700)


def test_the_same_rows_in_every_format(vault):
    rows = plain_rows()
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, vault.root / "a.parquet", row_group_size=500)
    pq.write_table(table, vault.root / "b.parquet", compression="zstd", use_dictionary=False)
    write_arrow(table, vault.root / "a.arrow", False)
    write_arrow(table, vault.root / "a.arrows", True)
    (vault.root / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pa.csv.write_csv(table, vault.root / "a.csv")
    roots = {}
    for name in ("a.parquet", "b.parquet", "a.arrow", "a.arrows", "a.jsonl", "a.csv"):
        entry = vault.add(name)
        assert entry["n_rows"] == len(rows)
        assert vault.checkout(name) == (vault.root / name).read_bytes()
        roots[name] = entry["sorted"]
    assert len(set(roots.values())) == 1, roots


def test_nested_columns_are_the_json_they_would_be(vault):
    rows = [{"messages": [{"role": "user", "content": f"hi {i}"}, {"role": "bot", "content": None}],
             "meta": {"b": i, "a": [1.5, 2.0]}, "tags": [] if i % 2 else None} for i in range(200)]
    pq.write_table(pa.Table.from_pylist(rows), vault.root / "chat.parquet")
    (vault.root / "chat.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert vault.add("chat.parquet")["sorted"] == vault.add("chat.jsonl")["sorted"]


def test_types_that_json_has_not(vault):
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5, 250000)
    table = pa.table({"t": [moment, None], "day": [moment.date(), None], "money": [decimal.Decimal("1.50"), None],
                      "bytes": [b"\x00\xff", None], "many": [[b"a"], [b"a"]]})
    pq.write_table(table, vault.root / "t.parquet")
    (vault.root / "t.jsonl").write_text(
        '{"t":"2024-01-02T03:04:05.25","day":"2024-01-02","money":1.5,'
        '"bytes":"06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8",'
        '"many":["sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"]}\n'
        '{"many":["sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"]}\n')
    assert vault.add("t.parquet")["sorted"] == vault.add("t.jsonl")["sorted"]


def test_a_damaged_file_says_so(vault):
    pq.write_table(pa.Table.from_pylist(plain_rows()), vault.root / "a.parquet")
    content = bytearray((vault.root / "a.parquet").read_bytes())
    content[-20:-8] = b"\xff" * 12
    (vault.root / "a.parquet").write_bytes(bytes(content))
    assert "a.parquet" in vault.run("add", "a.parquet", "--source", "web", code=3).stderr


def test_without_pyarrow_it_says_what_to_do(vault, tmp_path):
    pq.write_table(pa.Table.from_pylist(plain_rows(5)), vault.root / "a.parquet")
    missing = str(tmp_path / "no-python")
    refused = vault.run("add", "a.parquet", "--source", "web", code=3, BEZOAR_PYTHON=missing).stderr
    assert "pyarrow" in refused
    (vault.root / "a.csv").write_text("a,b\n1,2\n")
    vault.add("a.csv")
    refused = vault.run("export", "a.csv", "--format", "parquet", "-o", tmp_path / "x.parquet", code=3,
                        BEZOAR_PYTHON=missing).stderr
    assert "pyarrow" in refused
    assert not (tmp_path / "x.parquet").exists()


def test_rows_as_parquet_are_the_same_rows(vault):
    rows = plain_rows(70000)
    (vault.root / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = vault.add("a.jsonl")
    vault.run("export", "a.jsonl", "--format", "parquet", "-o", "b.parquet")
    table = pq.read_table(vault.root / "b.parquet")
    assert {name: str(table.schema.field(name).type) for name in "ifbs"} == {
        "i": "int64", "f": "double", "b": "bool", "s": "large_string"}
    assert table.column("i").to_pylist() == [row["i"] for row in rows]
    assert table.column("n").null_count == sum(row["n"] is None for row in rows)
    assert vault.add("b.parquet")["sorted"] == before["sorted"]


def test_rows_of_columns_come_out_as_rows(vault):
    rows = plain_rows(2000)
    pq.write_table(pa.Table.from_pylist(rows), vault.root / "a.parquet", row_group_size=300)
    before = vault.add("a.parquet")["sorted"]
    for form in ("csv", "jsonl", "parquet"):
        vault.run("export", "a.parquet", "--format", form, "-o", f"b.{form}")
        assert vault.add(f"b.{form}")["sorted"] == before
    (vault.root / "both").mkdir()
    for name in ("a.parquet", "b.csv", "b.jsonl"):
        (vault.root / "both" / name).write_bytes((vault.root / name).read_bytes())
    vault.add("both")
    vault.run("export", "both", "--format", "jsonl", "-o", "c.jsonl")
    assert [json.loads(line)["i"] for line in (vault.root / "c.jsonl").read_text().splitlines()] == [
        row["i"] for row in rows] * 3


def test_fields_that_come_and_go(vault):
    (vault.root / "a.jsonl").write_text('{"a": 1}\n{"b": 2.5, "a": 3}\n{}\n{"b": 1}\n{"c": {"x": [1]}}\n{"a": "1"}\n')
    vault.add("a.jsonl")
    vault.run("export", "a.jsonl", "--format", "parquet", "-o", "b.parquet", "--provenance")
    table = pq.read_table(vault.root / "b.parquet")
    assert table.column("a").to_pylist() == ["1", "3", None, None, None, "1"]
    assert table.column("b").to_pylist() == [None, 2.5, None, 1.0, None, None]
    assert table.column("c").to_pylist()[4] == '{"x": [1]}'
    assert set(table.column("bezoar:source").to_pylist()) == {"web"}


def test_bytes_that_are_no_text_are_refused(vault):
    (vault.root / "a.csv").write_bytes(b"a,b\nx,1\n\xff\xfe,2\n")
    vault.add("a.csv")
    refused = vault.run("export", "a.csv", "--format", "parquet", "-o", "b.parquet", code=3).stderr
    assert "row 2" in refused and "UTF-8" in refused
    assert not (vault.root / "b.parquet").exists()
