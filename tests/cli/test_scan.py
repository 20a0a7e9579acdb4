"""bezoar scan: every option, and the four exit codes."""
import csv
import json
import os

import pytest
from conftest import poisoned_messages, table_text


def scan_json(bezoar, *args, **more):
    result = bezoar("scan", *args, "--format", "json", **more)
    assert result.returncode in (0, 1, 3), result.stderr
    return json.loads(result.stdout)


def options_of(report):
    options = report["options"]
    return options if isinstance(options, dict) else {o["key"]: o["value"] for o in options}


def test_exit_0_on_clean_data(bezoar, table):
    result = bezoar("scan", table, "--label", "label")
    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[0].startswith("Not checked")
    assert result.stderr == ""


def test_exit_1_on_findings(bezoar, messages):
    result = bezoar("scan", messages, "--label", "label")
    assert result.returncode == 1
    assert "BZ-D005" in result.stdout and "U+200B" in result.stdout
    assert "bezoar clean" in result.stdout, "what to do next"
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if "bezoar clean" not in line)
    assert "\x1b" not in result.stdout


def test_exit_2_on_usage(bezoar, table):
    for args in [("--label", "nope"), ("--only", "BZ-D999"), ("--skip", "nothing"), ("--fail-on", "sometimes"),
                 ("--sample", "many"), ("--max-time", "soon"), ("--memory", "2Q"), ("--threads", "-1"),
                 ("--threads", "99999999999"), ("--only", "BZ-D005", "--skip", "BZ-D005"),
                 ("--ruleset", "99"), ("--new-only",), ("--type", "size=color"), ("--progress", "loud"),
                 ("--report", "out.xyz"), ("--report", "nowhere/out.json"), ("--report", str(table)),
                 ("--rows", "r.csv", "--report", "json:r.csv"), ("-o", ".")]:
        result = bezoar("scan", table, *args)
        assert result.returncode == 2, (args, result.stdout, result.stderr)
        assert result.stderr.startswith("bezoar: "), args
        assert result.stdout == ""
    assert table.read_text() == table_text(), "an input is never written to"


def test_exit_3_on_what_cannot_be_examined(bezoar, table, tmp_path):
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF\3\0\0\0" + b"\xff" * 16)
    picture = tmp_path / "x.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    for path in [model, picture, tmp_path / "missing.csv"]:
        result = bezoar("scan", path)
        assert result.returncode == 3, path
        assert "clean" not in result.stdout.lower()
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7\n")
    assert "not checked: this version examines tables, text, pictures and models" in bezoar("scan", "x.pdf").stderr
    both = bezoar("scan", model.name, table.name, "--label", "label")
    assert both.returncode == 3, "one readable path does not make the other clean"
    assert "model.gguf" in both.stdout
    never = bezoar("scan", model, table, "--label", "label", "--fail-on", "never")
    assert never.returncode == 3


def test_no_rows_are_not_clean(bezoar, tmp_path):
    (tmp_path / "empty.csv").write_text("a,b,label\n")
    result = bezoar("scan", "empty.csv", "--label", "label")
    assert result.returncode == 3 and "no rows" in result.stdout


def test_findings_win_over_unexamined(bezoar, messages, tmp_path):
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF\x03\0\0\0")
    assert bezoar("scan", model, messages, "--label", "label").returncode == 1


def test_folder_with_something_else_in_it(bezoar, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    lines = table_text().splitlines(keepends=True)
    (folder / "a.csv").write_text("".join(lines[:200]))
    (folder / "b.csv").write_text(lines[0] + "".join(lines[200:]))
    report = scan_json(bezoar, folder, "--label", "label")
    assert report["data"]["rows"] == 400 and len(report["data"]["files"]) == 2
    (folder / "weights.gguf").write_bytes(b"GGUF\x03\0\0\0")
    result = bezoar("scan", folder, "--label", "label", "--format", "json")
    assert result.returncode == 3
    assert any("weights.gguf" in item["what"] for item in json.loads(result.stdout)["not_checked"])
    assert "No sign of poison in what was examined" in bezoar("scan", folder, "--label", "label").stdout
    assert bezoar("scan", folder, "--label", "label", "--exclude", "*.gguf").returncode == 0


def test_links_in_a_folder_are_not_passed_over(bezoar, table, tmp_path):
    folder = tmp_path / "parts"
    (tmp_path / "elsewhere").mkdir()
    folder.mkdir()
    (folder / "a.csv").write_bytes(table.read_bytes())
    (folder / "gone").symlink_to("nowhere")
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    result = bezoar("scan", folder, "--label", "label", "--format", "json")
    assert result.returncode == 3
    said = {item["what"]: item["reason"] for item in json.loads(result.stdout)["not_checked"] if item["requested"]}
    assert "leads nowhere" in said[str(folder / "gone")] and "not followed" in said[str(folder / "more")]
    assert bezoar("scan", folder, "--label", "label", "--exclude", "gone", "--exclude", "more").returncode == 0


def test_a_file_named_twice_is_read_once(bezoar, messages, tmp_path):
    """Every row twice would be a flood, and no rare pattern would be rare any more."""
    once = scan_json(bezoar, messages.name, "--label", "label")
    (tmp_path / "link.tsv").symlink_to(messages.name)
    os.link(messages, tmp_path / "hard.tsv")
    twice = scan_json(bezoar, messages.name, messages, "link.tsv", "hard.tsv", "--label", "label")
    assert twice["data"] == once["data"] and twice["findings"] == once["findings"]


def test_a_named_label_that_no_check_can_use_is_not_clean(bezoar, tmp_path):
    rows = table_text().splitlines()
    one_class = [rows[0]] + [row.rsplit(",", 1)[0] + ",good" for row in rows[1:]]
    no_class = [rows[0]] + [row.rsplit(",", 1)[0] + "," for row in rows[1:]]
    for lines in (one_class, no_class):
        (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
        result = bezoar("scan", "t.csv", "--label", "label")
        assert result.returncode == 3 and "fewer than two classes" in result.stdout
        assert bezoar("scan", "t.csv").returncode == 0, "nobody asked for a label"


def test_columns_that_cannot_be_looked_into_are_not_clean(bezoar, tmp_path):
    (tmp_path / "ids.csv").write_text("id,name\n" + "".join(f"{i},k{i}\n" for i in range(300)))
    result = bezoar("scan", "ids.csv")
    assert result.returncode == 3 and "none to look into" in result.stdout


def test_value_spikes_need_numbers(bezoar, tmp_path):
    body = "".join(f"{'abc'[i % 3]},{'xyzw'[i % 4]}\n" for i in range(300))
    (tmp_path / "words.csv").write_text("one,two\n" + body)
    report = scan_json(bezoar, "words.csv", "--skip", "floods")
    assert any(x["what"].startswith("BZ-D003") and x["reason"] == "no numeric column" for x in report["not_checked"])


def test_fail_on(bezoar, messages):
    def code(level):
        return bezoar("scan", messages, "--label", "label", "--fail-on", level).returncode

    assert [code(level) for level in ("error", "warning", "note", "never")] == [1, 1, 1, 0]


def test_only_and_skip(bezoar, messages):
    report = scan_json(bezoar, messages, "--label", "label", "--only", "BZ-D005")
    assert {f["rule"] for f in report["findings"]} == {"BZ-D005"}
    by_name = scan_json(bezoar, messages, "--label", "label", "--only", "character-tricks")
    assert by_name["findings"] == report["findings"]
    report = scan_json(bezoar, messages, "--label", "label", "--skip", "BZ-D005,BZ-D003")
    assert "BZ-D005" not in {f["rule"] for f in report["findings"]}


def test_a_check_asked_for_by_name_that_cannot_run_is_exit_3(bezoar, table):
    result = bezoar("scan", table, "--label", "label", "--only", "trigger-phrases,BZ-D003")
    if "there is no rule" in result.stderr:
        pytest.fail("BZ-D004 trigger-phrases is not there")
    assert result.returncode == 3, "no text column"


def test_reports_by_extension_prefix_and_format(bezoar, messages, tmp_path):
    args = ["scan", messages, "--label", "label"]
    for name in ["r.json", "r.html", "r.md", "r.sarif", "r.xml", "r.txt"]:
        args += ["--report", name]
    result = bezoar(*args, "--report", "sarif:second.json", "--rows", "rows.csv")
    assert result.returncode == 1, result.stderr
    assert json.loads((tmp_path / "r.json").read_text())["schema_version"] == 1
    assert json.loads((tmp_path / "r.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((tmp_path / "second.json").read_text())["version"] == "2.1.0"
    assert (tmp_path / "r.html").read_text().lower().startswith("<!doctype html")
    assert (tmp_path / "r.xml").read_text().startswith("<?xml")
    rows = list(csv.DictReader((tmp_path / "rows.csv").open(newline="")))
    assert list(rows[0]) == "row,rule,severity,score,q,label,suggested_label,incident,file".split(",")
    assert {int(r["row"]) for r in rows if r["rule"] == "BZ-D005"} == set(range(0, 36, 3))
    assert bezoar("scan", messages, "--label", "label", "--report", "noext", "--format", "json").returncode == 1
    assert (tmp_path / "noext").read_text().startswith("{")


def test_output_dash_and_file(bezoar, messages, tmp_path):
    to_stdout = bezoar("scan", messages, "--label", "label", "--format", "json", "-o", "-")
    assert to_stdout.returncode == 1 and json.loads(to_stdout.stdout)
    to_file = bezoar("scan", messages, "--label", "label", "-o", "out.sarif")
    assert to_file.returncode == 1 and to_file.stdout == ""
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"


def test_rows_of_the_planted_messages(bezoar, messages):
    report = scan_json(bezoar, messages, "--label", "label", "--only", "BZ-D005")
    rows = sorted(row for f in report["findings"] for row in f["rows"]["row"])
    assert rows == list(range(0, 36, 3))


def test_redact_keeps_values_out(bezoar, messages, tmp_path):
    text = messages.read_text().replace("prize", "zq7canary")
    messages.write_text(text)
    args = ["scan", messages, "--label", "label", "--redact"]
    for name in ["r.json", "r.html", "r.md", "r.sarif", "r.xml", "r.txt", "rows:rows.csv"]:
        args += ["--report", name]
    result = bezoar(*args)
    assert "zq7canary" not in result.stdout
    for path in tmp_path.iterdir():
        if path != messages:
            assert "zq7canary" not in path.read_text(), path


def test_guessed_label_is_said(bezoar, messages):
    result = bezoar("scan", messages)
    assert "guessed" in result.stdout and '"label"' in result.stdout


def test_guess_is_usage_in_ci(bezoar, messages):
    for value in ("true", "1", "TRUE"):
        result = bezoar("scan", messages, env={"CI": value})
        assert result.returncode == 2
        assert "--label" in result.stderr and "label" in result.stderr
        assert result.stdout == ""
    assert bezoar("scan", messages, "--label", "label", env={"CI": "true"}).returncode == 1
    assert bezoar("scan", messages, env={"CI": "false"}).returncode == 1


def test_columns_can_be_named(bezoar, messages, table):
    report = scan_json(bezoar, messages, "--label", "label", "--text", "text")
    roles = {c["name"]: c["role"] for c in report["data"]["columns"]}
    assert roles == {"label": "label", "text": "text"}
    report = scan_json(bezoar, table, "--label", "label", "--source", "vendor", "--id", "weight",
                       "--type", "size=categorical")
    columns = {c["name"]: c for c in report["data"]["columns"]}
    assert columns["vendor"]["role"] == "source" and columns["weight"]["role"] == "id"
    assert columns["size"]["type"] == "categorical" and columns["size"]["type_given"]


def test_sample(bezoar, table):
    report = scan_json(bezoar, table, "--label", "label", "--sample", "100", "--seed", "3")
    assert report["data"]["rows"] == 100
    assert any("sampled 100 of 400" in item["reason"] for item in report["not_checked"])
    again = scan_json(bezoar, table, "--label", "label", "--sample", "100", "--seed", "3")
    again.pop("run"), report.pop("run")
    assert again == report


def test_rows_of_a_sample_are_rows_of_the_file(bezoar, messages, tmp_path):
    bezoar("scan", messages, "--label", "label", "--only", "BZ-D005", "--sample", "150", "--report", "r.json")
    rows = sorted(row for f in json.loads((tmp_path / "r.json").read_text())["findings"] for row in f["rows"]["row"])
    assert rows and set(rows) <= set(range(0, 36, 3)) and len(rows) < 12
    assert bezoar("clean", messages, "--from", "r.json", "-o", "c.tsv", "--at-least", "note").returncode == 0
    assert len((tmp_path / "c.tsv").read_text().splitlines()) == 301 - len(rows)


def test_seed_is_kept_exactly(bezoar, table):
    seed = str(2**64 - 1)
    assert options_of(scan_json(bezoar, table, "--label", "label", "--seed", seed))["seed"] == seed


def test_max_time_never_means_clean(bezoar, table):
    result = bezoar("scan", table, "--label", "label", "--max-time", "0.000001s")
    assert result.returncode == 3
    assert "max-time" in result.stdout + result.stderr
    assert bezoar("scan", table, "--label", "label", "--max-time", "5m").returncode == 0


def test_same_bytes_for_any_number_of_threads(bezoar, messages):
    def body(threads):
        report = scan_json(bezoar, messages, "--label", "label", "--threads", threads, "--seed", "5")
        report.pop("run")
        return report

    one = body(1)
    assert one == body(2) == body(7)


def test_memory_and_progress(bezoar, table):
    assert bezoar("scan", table, "--label", "label", "--memory", "64M").returncode == 0
    for how in ("auto", "plain", "none"):
        result = bezoar("scan", table, "--label", "label", "--progress", how)
        assert result.returncode == 0
        assert "\r" not in result.stderr


def test_effective_options_stand_in_the_report(bezoar, table):
    report = scan_json(bezoar, table, "--label", "label", "--fail-on", "warning", "--seed", "9", "--skip", "BZ-D003")
    options = options_of(report)
    assert options["label"] == "label" and options["fail-on"] == "warning" and options["seed"] == "9"
    assert options["skip"] == "BZ-D003" and options["ruleset"] == "1"
    assert "threads" not in options, "threads never change the result: they stand under run"
    assert "threads" in json.dumps(report["run"])


def test_ruleset(bezoar, table):
    assert scan_json(bezoar, table, "--label", "label", "--ruleset", "1")["ruleset"] == 1


def test_baseline_and_diff(bezoar, messages, table, tmp_path):
    assert bezoar("scan", messages, "--label", "label", "--report", "old.json").returncode == 1
    assert bezoar("scan", messages, "--label", "label", "--baseline", "old.json").returncode == 1
    new_only = bezoar("scan", messages, "--label", "label", "--baseline", "old.json", "--new-only")
    assert new_only.returncode == 0, new_only.stdout
    messages.write_text(messages.read_text().replace("\u200b", "\u2060"))
    changed = bezoar("scan", messages, "--label", "label", "--baseline", "old.json", "--new-only", "--report",
                     "new.json")
    assert changed.returncode == 1, "another trigger is new"
    assert bezoar("report", "diff", "old.json", "old.json").returncode == 0
    diff = bezoar("report", "diff", "old.json", "new.json")
    assert diff.returncode == 1 and "U+2060" in diff.stdout
    assert json.loads(bezoar("report", "diff", "old.json", "new.json", "--format", "json").stdout)
    assert bezoar("report", "diff", "old.json", "new.json", "-o", "diff.txt").returncode == 1
    assert (tmp_path / "diff.txt").read_text() == diff.stdout
    assert bezoar("scan", table, "--label", "label", "--baseline", "missing.json").returncode == 3


def test_report_show(bezoar, messages, tmp_path):
    scanned = bezoar("scan", messages, "--label", "label", "--report", "r.json", "--report", "r.html")
    shown = bezoar("report", "show", "r.json")
    assert shown.returncode == 0
    assert scanned.stdout.startswith(shown.stdout)
    assert bezoar("report", "show", "r.json", "-o", "again.html").returncode == 0
    assert (tmp_path / "again.html").read_text() == (tmp_path / "r.html").read_text()
    assert bezoar("report", "show", "r.json", "--fail-on", "error").returncode == 1
    assert bezoar("report", "show", messages).returncode == 3


def test_suppressions(bezoar, messages, tmp_path):
    report = scan_json(bezoar, messages, "--label", "label")
    entries = "".join(f"  - rule: {f['rule']}\n    fingerprint: {f['fingerprint'][:24]}\n    owner: me\n"
                      f"    justification: known since spring\n    expires: {{date}}\n" for f in report["findings"])
    known = tmp_path / "known.yaml"
    known.write_text("suppressions:\n" + entries.format(date="2999-12-31"))
    quiet = bezoar("scan", messages, "--label", "label", "--suppress", known, "--fail-on", "note")
    assert quiet.returncode == 0, quiet.stdout
    assert "suppress" in quiet.stdout.lower()
    known.write_text("suppressions:\n" + entries.format(date="2001-01-01"))
    raised = bezoar("scan", messages, "--label", "label", "--suppress", known)
    assert raised.returncode == 1, "an expired suppression raises again"
    known.write_text("suppressions:\n  - rule: BZ-D005\n")
    bad = bezoar("scan", messages, "--label", "label", "--suppress", known)
    assert bad.returncode == 2 and f"{known}:2:" in bad.stderr


def test_configuration(bezoar, messages, tmp_path):
    config = tmp_path / "my.yaml"
    config.write_text("label: label\nscan:\n  fail-on: never\n  report: [c.json]\n")
    assert bezoar("scan", messages, "--config", config, env={"CI": "true"}).returncode == 0
    assert (tmp_path / "c.json").exists()
    assert bezoar("scan", messages, "--config", config, env={"BEZOAR_FAIL_ON": "error"}).returncode == 1
    flag = bezoar("scan", messages, "--config", config, "--fail-on", "never", env={"BEZOAR_FAIL_ON": "error"})
    assert flag.returncode == 0
    assert bezoar("scan", messages, env={"BEZOAR_CONFIG": config}).returncode == 0
    config.write_text("scan:\n  lable: label\n")
    bad = bezoar("scan", messages, "--config", config)
    assert bad.returncode == 2 and f"{config}:2:" in bad.stderr and '"label"' in bad.stderr
    wrong = bezoar("scan", messages, env={"BEZOAR_SEED": "dice"})
    assert wrong.returncode == 2 and "BEZOAR_SEED" in wrong.stderr


def test_nothing_is_read_from_the_scanned_tree(bezoar, messages, tmp_path):
    (tmp_path / "bezoar.yaml").write_text("scan:\n  fail-on: never\n  skip: [BZ-D005]\n")
    (tmp_path / ".bezoar.yaml").write_text("fail-on: never\n")
    assert bezoar("scan", messages, "--label", "label", cwd=tmp_path).returncode == 1


def test_ragged_lines_are_a_finding_with_a_line(bezoar, table):
    lines = table.read_text().splitlines()
    lines[9] += ",extra"
    table.write_text("\n".join(lines) + "\n")
    report = scan_json(bezoar, table, "--label", "label")
    ragged = [f for f in report["findings"] if f["rule"] == "BZ-F001"]
    assert len(ragged) == 1
    assert "10" in json.dumps(ragged[0]["evidence"])


def test_lines_that_do_not_divide_are_said(bezoar, tmp_path):
    body = "".join(",".join("xyz"[(i + k) % 3] for k in range(2 + i % 3 + (i % 3 > 0))) + "\n" for i in range(300))
    for name, said in (("odd.csv", True), ("prose.txt", False)):
        (tmp_path / name).write_text("a,b,label\n" + body)
        report = scan_json(bezoar, name, "--skip", "floods")
        assert len(report["data"]["columns"]) == 1
        assert any(f["rule"] == "BZ-F011" and f["severity"] == "warning" for f in report["findings"]) is said
        assert any(item["requested"] for item in report["not_checked"]) is said


def test_a_first_line_that_hides_columns_is_not_clean(bezoar, table, tmp_path):
    """The columns are those of the first line: a title above the header leaves all others unread."""
    (tmp_path / "titled.csv").write_text("exported,monday\n" + table.read_text())
    result = bezoar("scan", "titled.csv", "--skip", "floods")
    assert result.returncode == 3 and "BZ-F001" in result.stdout
    assert "401 lines do not have as many cells as the first" in " ".join(result.stdout.split())


def test_next_step_for_a_name_that_looks_like_an_option(bezoar, messages, tmp_path):
    (tmp_path / "-x.tsv").write_bytes(messages.read_bytes())
    result = bezoar("scan", "--label", "label", "--report", "r.json", "--", "-x.tsv")
    line = result.stdout[result.stdout.index("bezoar clean"):].split("\\")[0].split()
    assert bezoar(*line[1:], "-o", "c.tsv").returncode == 0, line


def test_findings_on_the_same_rows_are_one_incident(bezoar, tmp_path):
    path = tmp_path / "m.tsv"
    path.write_text(poisoned_messages(600, 30).replace("\u200b", "\u200b\u2060"))
    report = scan_json(bezoar, path, "--label", "label")
    rules = {}
    for f in report["findings"]:
        if f["incident"]:
            rules.setdefault(f["incident"], []).append(f["rule"])
    assert any(len(r) >= 2 for r in rules.values()), rules
    assert len(report["incidents"]) == len(rules)
