"""Rows of a vault: the same row in CSV and in JSON lines, digests beside an independent implementation, exports that
come back as the same rows."""
import csv
import io
import json
import pathlib
import random

import pytest
from canonical import csv_digests, jsonl_digests
from vault_helper import Vault

ADULT = pathlib.Path(__file__).parents[3] / "shared" / "data" / "adult"


@pytest.fixture
def vault(tmp_path):
    made = Vault(tmp_path)
    made.source("web")
    made.source("lab")
    made.contributor("alice", sources=["web"])
    return made


def exported(vault, name, *more):
    path = vault.base / "export.jsonl"
    vault.run("export", name, "--format", "jsonl", "-o", path, *more)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def digests(vault, name):
    return [row["bezoar:canonical"] for row in exported(vault, name, "--digests")]


def random_value(rng):
    kind = rng.randrange(12)
    if kind == 0:
        return ""
    if kind == 1:
        return rng.choice(["true", "false", "null", "NaN", "-", "+", "007", ".5", "5.", "1e", "--1", "0x1"])
    if kind in (2, 3, 4):
        whole = str(rng.randrange(10 ** rng.randrange(1, 30)))
        part = "." + "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 30))) if rng.random() < .6 else ""
        power = rng.choice(["", "", "e", "E"])
        power = power and power + rng.choice(["", "+", "-", "00"]) + str(rng.randrange(10 ** rng.randrange(1, 3)))
        return rng.choice(["", "-", "+"]) + whole + part + power
    if kind == 5:
        return rng.choice(["0", "-0", "0.0", "-0.00e5", "1" + "0" * 39, "1" + "0" * 40, "0." + "0" * 39 + "1",
                           "1e39", "1e40", "1e-39", "1e-40", "1e999999999", "1e9999999999", "1e0000000000001"])
    words = ["naïve", "“quoted”", "say \"hi\"", "a,b", "line\nbreak", "tab\tbed", " edge ", "日本", "\x07", "𝄞", "x" * 200]
    return " ".join(rng.choice(words) for _ in range(rng.randrange(1, 4)))


def table(seed, rows):
    rng = random.Random(seed)
    names = ["id", "ü name", "b", "B", "a b", "z" * 130, "#1", "number"]
    rng.shuffle(names)
    return names, [[random_value(rng) for _ in names] for _ in range(rows)]


def as_csv(names, rows):
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue()


def as_jsonl(names, rows, seed):
    rng = random.Random(seed)
    lines = []
    for row in rows:
        pairs = list(zip(names, row))
        rng.shuffle(pairs)
        pairs = [(name, None if not value and rng.random() < .5 else value) for name, value in pairs
                 if value or rng.random() < .7]
        lines.append(json.dumps(dict(pairs), ensure_ascii=rng.random() < .5))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(3))
def test_the_same_rows_in_csv_and_json_lines(vault, seed):
    names, rows = table(seed, 400)
    as_table, as_lines = as_csv(names, rows), as_jsonl(names, rows, seed)
    vault.add_commit("t.csv", as_table, key="alice", source="web")
    vault.add_commit("t.jsonl", as_lines, key="alice", source="web")
    want = csv_digests(as_table)
    assert want == jsonl_digests(as_lines)
    assert digests(vault, "t.csv") == want
    assert digests(vault, "t.jsonl") == want


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_exports_come_back_as_the_same_rows(vault, kind):
    names, rows = table(9, 200)
    vault.add_commit("t.csv", as_csv(names, rows), key="alice", source="web")
    path = vault.root / f"again.{kind}"
    vault.run("export", "t.csv", "--format", kind, "-o", path)
    vault.run("add", path, "--key", "alice", "--source", "web", "-m", "again")
    assert sorted(digests(vault, path.name)) == sorted(digests(vault, "t.csv"))


def test_nested_json_and_lines_that_are_no_objects(vault):
    lines = ['{"b": {"z": [1.0, -0, 1e2, "é\\u0000\\n", null, true, {}, []], "a": 1, "a": 2}, "a": " 5.50 "}',
             '{"a":5.5,"b":{"a":1,"a":2,"z":[1,0,100,"\\u00e9\\u0000\\n",null,true,{},[]]}}',
             "[1, 2]", "5.0", "no json", '{"a":1} more', '{"": 1, "x": 2}', '{"a":"\\ud800"}', '{"a": NaN}', "{}",
             '{"a":tru}']
    text = "\n".join(lines)
    vault.add_commit("t.jsonl", text, key="alice", source="web")
    got, want = digests(vault, "t.jsonl"), jsonl_digests(text)
    assert got == want
    assert got[0] == got[1]


def test_provenance_of_exported_rows(vault):
    vault.add_commit("t.csv", "a,b\n1,x\n2,y\n", key="alice", source="web")
    vault.contributor("bob", sources=["lab"])
    vault.add_commit("t.csv", "a,b\n1,x\n3,new\n2,y\n", key="bob", source="lab")
    rows = exported(vault, "t.csv", "--provenance")
    assert [(row["a"], row["bezoar:contributor"], row["bezoar:source"]) for row in rows] == \
        [(1, "alice", "web"), (3, "bob", "lab"), (2, "alice", "web")]
    log = vault.json("log")
    told = [entry for entry in log["entries"] if entry["type"] == "access"]
    assert told[-1]["entry"]["op"] == "export" and told[-1]["entry"]["outcome"] == "ok"


def test_real_tables(vault):
    sources = sorted(ADULT.glob("*.csv")) if ADULT.is_dir() else []
    if not sources:
        pytest.skip(f"no tables in {ADULT}")
    text = "".join(sources[0].read_text(encoding="utf-8").splitlines(keepends=True)[:3000])
    vault.add_commit("adult.csv", text, key="alice", source="web")
    got = digests(vault, "adult.csv")
    assert got == csv_digests(text, header=len(got) < len(text.splitlines()), names=[])
    back = vault.base / "back.csv"
    vault.run("checkout", "adult.csv", "-o", back)
    assert back.read_text(encoding="utf-8") == text
