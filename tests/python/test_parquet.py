"""Parquet through the sandboxed helper: same report as the same table in memory, and no way out of the sandbox."""
import json
import os
import pathlib
import struct
import subprocess
import sys

import bezoar
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture(autouse=True)
def this_python(monkeypatch):
    monkeypatch.setenv("BEZOAR_PYTHON", sys.executable)
    monkeypatch.delenv("BEZOAR_DUCKDB", raising=False)


def columns(data, **options):
    report = json.loads(bezoar.scan(data, **options).to_json(without_run=True))
    return {c["name"]: (c["type"], c["distinct"], c["missing"]) for c in report["data"]["columns"]}, report["data"]["rows"]


@pytest.fixture(scope="module")
def table():
    n = 30000
    draw = np.random.default_rng(5)
    word = pa.array(draw.choice(["red", "green", "blue", None], n).tolist())
    inner = pa.StructArray.from_arrays([pa.array(draw.integers(0, 9, n)), word], ["n", "w"],
                                       mask=pa.array(draw.random(n) < 0.1))
    return pa.table({
        "i": draw.integers(0, 50, n).astype("int16"),
        "f": np.round(draw.normal(size=n), 2),
        "b": draw.random(n) < 0.5,
        "w": word,
        "c": word.dictionary_encode(),
        "s": inner,
        "d": pa.array(draw.integers(0, 400, n).astype("int32"), pa.date32()),
        "t": pa.array(draw.integers(0, 10**6, n), pa.timestamp("ms")),
        "m": pa.array(draw.integers(0, 99, n).tolist(), pa.decimal128(9, 2)),
        "nothing": pa.nulls(n),
        "label": draw.choice(["yes", "no"], n),
    })


def test_like_the_table_in_memory(table, tmp_path):
    want = columns(table, label="label")
    for name, options in {"plain": {}, "groups": {"row_group_size": 999}, "zstd": {"compression": "zstd"},
                          "flat": {"use_dictionary": False, "data_page_version": "2.0"}}.items():
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table, path, **options)
        assert columns(path, label="label") == want, name
    texts = {bezoar.scan(path, label="label", threads=n).to_json(without_run=True) for n in (1, 3)}
    assert len(texts) == 1


def test_duckdb_gives_the_same(table, tmp_path, monkeypatch):
    """Where a libduckdb is at hand (BEZOAR_TEST_DUCKDB names it); a broken one is said in any case."""
    path = tmp_path / "x.parquet"
    pq.write_table(table.drop_columns(["nothing"]), path)
    monkeypatch.setenv("BEZOAR_DUCKDB", str(tmp_path / "missing.so"))
    with pytest.raises(bezoar.UnsupportedError, match="missing.so"):
        bezoar.scan(path)
    library = os.environ.get("BEZOAR_TEST_DUCKDB")
    if library:  # in a process of its own: a library once loaded would be found by later tests
        program = ("import json, sys, bezoar\n"
                   "try: print(bezoar.scan(sys.argv[1], label='label').to_json(without_run=True))\n"
                   "except bezoar.FormatError as e: print('refused')\n")

        def scan():
            return subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True,
                                  env={**os.environ, "BEZOAR_DUCKDB": library}).stdout

        report = json.loads(scan())
        seen = {c["name"]: (c["type"], c["distinct"], c["missing"]) for c in report["data"]["columns"]}
        assert (seen, report["data"]["rows"]) == columns(table.drop_columns(["nothing"]), label="label")
        path.write_bytes(path.read_bytes()[:-30])
        assert scan().strip() == "refused"


def test_hive_folders_become_columns(table, tmp_path):
    pq.write_to_dataset(table.select(["i", "f", "w", "label"]), tmp_path / "set", partition_cols=["w"])
    seen, rows = columns(tmp_path / "set", label="label")
    assert rows == len(table)
    assert seen["w"] == columns(table, label="label")[0]["w"]
    assert list(seen) == ["i", "f", "label", "w"]


def test_only_wanted_columns_are_decoded(table, tmp_path):
    """A column of lists cannot be read: that nobody complains shows that it is not looked at."""
    n = len(table)
    wide = table.append_column("xs", pa.array([[1, 2]] * n)).append_column("raw", pa.array([b"x"] * n))
    path = tmp_path / "wide.parquet"
    pq.write_table(wide, path, row_group_size=7000)
    with pytest.raises(bezoar.Error, match='"xs"'):
        bezoar.scan(path, label="label")
    all_seen, rows = columns(table, label="label")
    want = ["i", "s.w", "c"]
    for data in (path, wide):  # a file; a stream in memory
        seen, n_rows = columns(data, label="label", columns=want)
        assert n_rows == rows
        assert seen == {name: all_seen[name] for name in all_seen if name in [*want, "label"]}
        with pytest.raises(bezoar.UsageError, match="colour.*no such column.*s.n"):
            bezoar.scan(data, label="label", columns=["i", "colour"])
    library = os.environ.get("BEZOAR_TEST_DUCKDB")
    if library:
        program = ("import json, sys, bezoar\n"
                   "print(bezoar.scan(sys.argv[1], label='label', columns=['i', 's.w', 'c']).to_json(without_run=True))\n")
        text = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True,
                              env={**os.environ, "BEZOAR_DUCKDB": library}).stdout
        seen = {c["name"]: (c["type"], c["distinct"], c["missing"]) for c in json.loads(text)["data"]["columns"]}
        assert {name: seen[name] for name in seen if name != "s.n"} == {k: all_seen[k] for k in [*want, "label"]}


def test_wanted_columns_may_be_folders(table, tmp_path):
    pq.write_to_dataset(table.select(["i", "f", "w", "label"]), tmp_path / "set", partition_cols=["w", "label"])
    seen, rows = columns(tmp_path / "set", label="label", columns="w")
    assert rows == len(table) and list(seen) == ["w", "label"]
    seen, rows = columns(tmp_path / "set", label="label", columns=["f", "w"])
    assert rows == len(table) and list(seen) == ["f", "w", "label"]


def test_what_is_refused_is_named(tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "xs": [[1], [2, 3]]}), tmp_path / "list.parquet")
    with pytest.raises(bezoar.Error, match='"xs"'):
        bezoar.scan(tmp_path / "list.parquet")
    good = (tmp_path / "list.parquet").read_bytes()
    for name, data in {"cut": good[:-20], "empty": b"PAR1", "twisted": good[:40] + b"\xff" * 40 + good[80:]}.items():
        path = tmp_path / f"{name}.parquet"
        path.write_bytes(data)
        with pytest.raises(bezoar.Error) as caught:
            bezoar.scan(path)
        assert str(path) in str(caught.value)


def test_without_pyarrow_it_says_what_to_install(table, tmp_path, monkeypatch):
    pq.write_table(table, tmp_path / "x.parquet")
    fake = tmp_path / "python"
    for code in ("exit 90", "exit 1", "echo BZPQ; sleep 1", "kill -9 $$"):
        fake.write_text(f"#!/bin/sh\n{code}\n")
        fake.chmod(0o755)
        monkeypatch.setenv("BEZOAR_PYTHON", str(fake))
        with pytest.raises(bezoar.Error, match="pyarrow|helper"):
            bezoar.scan(tmp_path / "x.parquet")
    monkeypatch.setenv("BEZOAR_PYTHON", str(tmp_path / "missing"))
    with pytest.raises(bezoar.UnsupportedError, match="pip install"):
        bezoar.scan(tmp_path / "x.parquet")


HELLO = b"BZPQ" + struct.pack("<I", 1)
SCHEMA = b"S" + struct.pack("<I", 1) + struct.pack("<I", 1) + b"U" + struct.pack("<I", 1) + b"x"


def block(data):
    return struct.pack("<Q", len(data)) + data


LIES = {
    "no schema": b"",
    "too many columns": b"S" + struct.pack("<I", 1 << 31),
    "long name": b"S" + struct.pack("<II", 1, 1 << 31),
    "other type": b"S" + struct.pack("<II", 1, 2) + b"+l" + struct.pack("<I", 0) + b"E" + bytes(8),
    "views": b"S" + struct.pack("<II", 1, 2) + b"vu" + struct.pack("<I", 0) + b"B" + struct.pack("<Q", 1) + block(b"") * 3,
    "many rows": SCHEMA + b"B" + struct.pack("<Q", 1 << 60),
    "short offsets": SCHEMA + b"B" + struct.pack("<Q", 2) + block(b"") + block(bytes(16)) + block(b""),
    "wild offsets": SCHEMA + b"B" + struct.pack("<Q", 1) + block(b"") + block(struct.pack("<qq", 0, 99)) + block(b"abc"),
    "descending": SCHEMA + b"B" + struct.pack("<Q", 2) + block(b"") + block(struct.pack("<qqq", 0, 3, 1)) + block(b"abc"),
    "negative": SCHEMA + b"B" + struct.pack("<Q", 1) + block(b"") + block(struct.pack("<qq", -5, 1)) + block(b"abc"),
    "huge buffer": SCHEMA + b"B" + struct.pack("<Q", 1) + struct.pack("<Q", 1 << 50),
    "lost rows": SCHEMA + b"E" + struct.pack("<Q", 5),
    "unknown frame": SCHEMA + b"?" + bytes(8),
    "failure": b"X" + struct.pack("<I", 9) + b"no\x1b[31m \n",
    "long failure": b"X" + struct.pack("<I", 1 << 30),
    "cut": SCHEMA + b"B" + struct.pack("<Q", 1) + block(b"")[:4],
}


@pytest.mark.parametrize("lie", LIES)
def test_a_captured_helper_cannot_harm_its_parent(lie, table, tmp_path, monkeypatch):
    pq.write_table(table.slice(0, 3), tmp_path / "x.parquet")
    (tmp_path / "answer").write_bytes(HELLO + LIES[lie])
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\nexec cat '{tmp_path}/answer'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("BEZOAR_PYTHON", str(fake))
    with pytest.raises(bezoar.Error) as caught:
        bezoar.scan(tmp_path / "x.parquet")
    assert "\x1b" not in str(caught.value)


def test_the_worker_is_locked_in(tmp_path):
    """What a captured worker would try, tried by a program in its place."""
    attempts = """
import os, socket, sys
import bezoar.parquet_worker as worker
worker.apply_filter(4)
def denied(what):
    try:
        what()
    except OSError as e:
        return "denied" if e.errno in (1, 13, 38) else repr(e)
    return "ALLOWED"
tries = {
    "socket": lambda: socket.socket(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": lambda: os._exit(0) if os.fork() == 0 else None,
    "write": lambda: open(sys.argv[1] + "/written", "w"),
    "append": lambda: open(sys.argv[1] + "/here", "a"),
    "remove": lambda: os.unlink(sys.argv[1] + "/here"),
    "kill": lambda: os.kill(os.getppid(), 9),
}
sys.stdout.write(",".join(f"{name}={denied(what)}" for name, what in tries.items()))
sys.stdout.flush()
"""
    (tmp_path / "here").write_text("x")
    (tmp_path / "attempts.py").write_text(attempts)
    seen = spawn_like_the_library([sys.executable, "-P", str(tmp_path / "attempts.py"), str(tmp_path)], tmp_path)
    assert "ALLOWED" not in seen
    assert seen.count("denied") == 7, seen
    assert (tmp_path / "here").read_text() == "x"


def spawn_like_the_library(argv, folder):
    """The library starts BEZOAR_PYTHON on a Parquet file; a script in its place runs argv and keeps the output by
    answering it as the reason of a failure."""
    pq.write_table(pa.table({"a": [1]}), folder / "x.parquet")
    inner = " ".join(f"'{part}'" for part in argv)
    fake = folder / "python"
    body = (f"#!/bin/sh\nout=$({inner} 2>&1)\nn=$(printf %s \"$out\" | wc -c)\n"
            "printf 'BZPQ\\1\\0\\0\\0X'\n"
            "printf \"\\\\$(printf %03o $((n % 256)))\\\\$(printf %03o $((n / 256)))\\\\0\\\\0\"\n"
            "printf %s \"$out\"\n")
    fake.write_text(body)
    fake.chmod(0o755)
    old = os.environ["BEZOAR_PYTHON"]
    os.environ["BEZOAR_PYTHON"] = str(fake)
    try:
        with pytest.raises(bezoar.Error) as caught:
            bezoar.scan(folder / "x.parquet")
    finally:
        os.environ["BEZOAR_PYTHON"] = old
    return str(caught.value)


def test_the_scanned_folder_is_no_place_for_code(table, tmp_path):
    package = tmp_path / "bezoar"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "parquet_worker.py").write_text("import os; os._exit(90)")
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    pq.write_table(table, tmp_path / "x.parquet")
    tool = pathlib.Path(os.environ.get("BEZOAR_BIN", pathlib.Path(__file__).resolve().parents[2] / "build" / "bezoar"))
    done = subprocess.run([tool, "scan", "x.parquet", "--label", "label"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    assert "30,000 rows" in done.stdout
