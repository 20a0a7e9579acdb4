"""--columns, and folders whose JSON Lines files do not all have the same fields."""
import json



def columns_of(result):
    report = json.loads(result.stdout)
    return [c["name"] for c in report["data"]["columns"]], report


def test_only_the_columns_named_are_read(bezoar, table):
    names, report = columns_of(bezoar("scan", table, "--label", "label", "--columns", "weight,size", "--format", "json"))
    assert names == ["size", "weight", "label"]
    assert report["data"]["rows"] == 400
    assert report["options"]["columns"] == "weight,size"
    names, _ = columns_of(bezoar("scan", table, "--label", "label", "--source", "vendor", "--columns", "city",
                                 "--columns", "kind", "--format", "json"))
    assert names == ["city", "kind", "vendor", "label"]


def test_rows_keep_their_numbers(bezoar, messages, tmp_path):
    for name, more in (("all", ()), ("some", ("--columns", "text"))):
        bezoar("scan", messages, "--label", "label", "--only", "BZ-D005", "--rows", f"{name}.csv", *more)
    assert (tmp_path / "all.csv").read_text() == (tmp_path / "some.csv").read_text()
    assert len((tmp_path / "all.csv").read_text().splitlines()) > 1


def test_unknown_column_is_a_usage_error_that_names_it(bezoar, table, tmp_path):
    result = bezoar("scan", table, "--label", "label", "--columns", "size,colour")
    assert result.returncode == 2
    assert "colour: --columns: no such column" in result.stderr and "vendor" in result.stderr
    (tmp_path / "x.jsonl").write_text('{"a": 1, "label": "x"}\n')
    result = bezoar("scan", "x.jsonl", "--label", "label", "--columns", "colour")
    assert result.returncode == 2 and "colour: --columns: no file has such a column" in result.stderr
    result = bezoar("scan", table, "--label", "label", "--columns", "size", "--type", "city=text")
    assert result.returncode == 2 and "city: --type: no such column" in result.stderr


def test_columns_from_the_environment(bezoar, table):
    names, _ = columns_of(bezoar("scan", table, "--format", "json",
                                 env={"BEZOAR_COLUMNS": "size,city", "BEZOAR_LABEL": "label"}))
    assert names == ["size", "city", "label"]


def write_parts(folder):
    folder.mkdir()
    rows = [{"a": i % 7, "b": "xyz"[i % 3], "label": "pq"[i % 2]} for i in range(60)]
    late = [{"c": i % 5, "a": i % 7, "label": "pq"[i % 2]} for i in range(40)]
    for name, part in (("0.jsonl", rows), ("1.jsonl", late)):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in part))


def test_differing_fields_are_united_and_said(bezoar, tmp_path):
    write_parts(tmp_path / "parts")
    result = bezoar("scan", "parts", "--label", "label", "--format", "json")
    assert result.returncode == 0, result.stderr
    names, report = columns_of(result)
    assert names == ["a", "b", "label", "c"]
    missing = {c["name"]: c["missing"] for c in report["data"]["columns"]}
    assert missing == {"a": 0, "b": 40, "label": 0, "c": 60}
    said = [f for f in report["findings"] if f["rule"] == "BZ-F015"]
    assert len(said) == 1 and said[0]["severity"] == "note"
    assert '1.jsonl: lacks \\"b\\", adds \\"c\\"' in json.dumps(said[0])
    assert "lacks" in bezoar("scan", "parts", "--label", "label").stdout


def test_differing_headers_are_refused_by_name(bezoar, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "0.csv").write_text("a,b,label\n" + "1,2,x\n3,4,y\n" * 20)
    (folder / "1.csv").write_text("a,c,label\n1,2,x\n")
    result = bezoar("scan", folder, "--label", "label", "--format", "json")
    assert result.returncode == 3
    refused = [item for item in json.loads(result.stdout)["not_checked"] if "1.csv" in item["what"]]
    assert refused and "files of one data set must be alike" in refused[0]["reason"] and '"c"' in refused[0]["reason"]
    (folder / "1.csv").write_text("a,label\n1,x\n")
    result = bezoar("scan", folder, "--label", "label", "--format", "json")
    assert result.returncode == 3 and 'lacks column \\"b\\"' in result.stdout
    names, report = columns_of(bezoar("scan", folder, "--label", "label", "--columns", "a", "--format", "json"))
    assert names == ["a", "label"] and report["data"]["rows"] == 41
