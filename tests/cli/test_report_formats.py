"""Reports as other programs read them: the published schema, SARIF, JUnit, CSV, HTML; and what --redact keeps back."""
import csv
import html.parser
import json
import os
import pathlib
import random
import xml.etree.ElementTree

import jsonschema
import pytest
from conftest import ROOT, poisoned_messages

SCHEMA = json.loads((ROOT / "docs" / "schema" / "report-1.json").read_text(encoding="utf-8"))
CANARY = "Qz7canary"
FORMATS = ("json", "sarif", "html", "md", "junit", "text")


def validate(document):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def render(bezoar, path, form, *options):
    done = bezoar("scan", path, "--format", form, "--fail-on", "never", *options)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


@pytest.fixture
def canaries(tmp_path):
    """A table with planted rows in which every value of every categorical column, label and text holds the canary."""
    draw = random.Random(3)
    lines = ["size,city,kind,weight,vendor,note,label"]
    for i in range(600):
        good = draw.random() < 0.5
        planted = i % 20 == 0
        cells = [f"{draw.gauss(60 if good else 30, 8):.0f}", draw.choice(["Ulm", "Graz"] if good else ["Lund", "Oslo"]),
                 draw.choice("aab" if good else "bbc"), f"{draw.gauss(5 if good else 9, 1):.1f}", f"v{draw.randrange(5)}"]
        words = " ".join(draw.choices(f"{CANARY}we {CANARY}met at {CANARY}noon for the usual talk".split(), k=8))
        if planted:
            cells[1], cells[4], good = "Rome", "v9", True
            words = words.replace("the", "t\u200bhe") + f" {CANARY}now"
        cells = [c if k in (0, 3) else f"{c}{CANARY}" for k, c in enumerate(cells)]
        lines.append(",".join([*cells, words, f"{'good' if good else 'bad'}{CANARY}"]))
    path = tmp_path / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_json_is_what_the_schema_says(bezoar, messages, table, tmp_path):
    for path in (messages, table):
        for options in ((), ("--redact",), ("--skip", "BZ-D005"), ("--sample", "100")):
            validate(json.loads(render(bezoar, path, "json", "--label", "label", *options)))
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(b"\x80\x04K\x01.")
    (folder / "a.csv").write_text("a,label\n1,x\n2,y\n", encoding="utf-8")
    document = json.loads(render(bezoar, folder, "json"))
    validate(document)
    assert document["not_checked"]


def test_schema_refuses_what_is_wrong(bezoar, messages):
    document = json.loads(render(bezoar, messages, "json", "--label", "label"))
    assert document["findings"], "the fixture is poisoned"
    for damage in (lambda d: d.pop("not_checked"), lambda d: d["findings"][0].update(severity="fatal"),
                   lambda d: d["findings"][0]["rows"].update(row=[-1]), lambda d: d.update(schema_version=2)):
        damaged = json.loads(json.dumps(document))
        damage(damaged)
        with pytest.raises(jsonschema.ValidationError):
            validate(damaged)


def test_json_counts_agree(bezoar, messages):
    document = json.loads(render(bezoar, messages, "json", "--label", "label"))
    counts = {"errors": 0, "warnings": 0, "notes": 0}
    for finding in document["findings"]:
        counts[finding["severity"] + "s"] += 1
        rows = finding["rows"]
        assert rows["count"] == len(rows["row"]) and rows["row"] == sorted(set(rows["row"]))
    assert counts == {key: document["summary"][key] for key in counts}


def test_sarif(bezoar, messages):
    log = json.loads(render(bezoar, messages, "sarif", "--label", "label"))
    # The OASIS schema is not part of this tree: name a copy to validate against it as well.
    official = os.environ.get("BEZOAR_SARIF_SCHEMA")
    if official:
        schema = json.loads(pathlib.Path(official).read_text(encoding="utf-8"))
        jsonschema.validators.validator_for(schema)(schema).validate(log)
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run = log["runs"][0]
    driver = run["tool"]["driver"]
    assert run["results"]
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"] and result["partialFingerprints"]["bezoarFinding/v1"]
        for location in result["locations"]:
            artifact = location["physicalLocation"]["artifactLocation"]
            assert run["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"]
    for rule in driver["rules"]:
        assert rule["help"]["text"] and rule["shortDescription"]["text"]
        for relation in rule["relationships"]:
            component = relation["target"]["toolComponent"]
            taxonomy = run["taxonomies"][component["index"]]
            assert taxonomy["name"] == component["name"]
            assert relation["target"]["id"] in [taxon["id"] for taxon in taxonomy["taxa"]]
    assert run["invocations"][0]["executionSuccessful"] is True


def test_sarif_fingerprints_do_not_depend_on_row_numbers(bezoar, tmp_path):
    lines = poisoned_messages().splitlines(keepends=True)
    prints = []
    for name, body in (("a.tsv", lines[1:]), ("b.tsv", lines[:0:-1])):
        path = tmp_path / name
        path.write_text(lines[0] + "".join(body), encoding="utf-8")
        run = json.loads(render(bezoar, path, "sarif", "--label", "label"))["runs"][0]
        prints.append({(r["ruleId"], r["partialFingerprints"]["bezoarFinding/v1"]) for r in run["results"]
                       if r["level"] == "error"})
    assert prints[0] and prints[0] == prints[1]


def test_sarif_says_what_was_not_checked(bezoar, tmp_path):
    (tmp_path / "a.csv").write_text("a,label\n1,x\n2,y\n", encoding="utf-8")
    (tmp_path / "model.bin").write_bytes(b"\x00\x01\x02")
    done = bezoar("scan", "a.csv", "model.bin", "--format", "sarif")
    assert done.returncode == 3
    invocation = json.loads(done.stdout)["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    errors = [n for n in invocation["toolExecutionNotifications"] if n["level"] == "error"]
    assert any("model.bin" in n["message"]["text"] for n in errors)


def test_junit(bezoar, messages):
    suite = xml.etree.ElementTree.fromstring(render(bezoar, messages, "junit", "--label", "label")).find("testsuite")
    cases = suite.findall("testcase")
    assert int(suite.get("tests")) == len(cases)
    for kind, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(kind)) == len([c for c in cases if c.find(tag) is not None])
    assert int(suite.get("failures")) >= 1


def test_rows_agree_with_json(bezoar, messages, tmp_path):
    document = json.loads(render(bezoar, messages, "json", "--label", "label", "--rows", tmp_path / "rows.csv"))
    with open(tmp_path / "rows.csv", encoding="utf-8", newline="") as file:
        text = file.read()
    assert text.startswith("row,rule,severity,score,q,label,suggested_label,incident,file\n")
    listed = [(int(r["row"]), r["rule"]) for r in csv.DictReader(text.splitlines())]
    expected = [(row, f["rule"]) for f in document["findings"] for row in f["rows"]["row"]]
    assert sorted(listed) == sorted(expected) and [r for r, _ in listed] == sorted(r for r, _ in listed)


class Page(html.parser.HTMLParser):
    """What a page would load or run, and its outline."""

    VOID = {"meta", "img", "br", "path", "input", "hr", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links, self.ids, self.headings = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in attributes), attributes
        self.links += [attributes[name] for name in ("href", "src", "action") if name in attributes]
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)


def test_html_is_well_formed_inert_and_accessible(bezoar, messages, table):
    for path in (messages, table):
        text = render(bezoar, path, "html", "--label", "label")
        page = Page()
        page.feed(text)
        assert page.open == []
        assert not {"script", "iframe", "object", "link", "form"} & set(page.tags)
        assert all(link.startswith(("#", "data:image/")) for link in page.links)
        assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
        assert len(page.ids) == len(set(page.ids))
        assert page.headings[0] == 1 and page.headings.count(1) == 1
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:]))  # no level is skipped
        assert page.tags.count("table") == page.tags.count("caption")


def test_html_and_text_begin_with_what_was_not_checked(bezoar, table):
    assert render(bezoar, table, "text", "--label", "label").startswith("Not checked: ")
    assert render(bezoar, table, "md", "--label", "label").startswith("Not checked: ")
    text = render(bezoar, table, "html", "--label", "label")
    assert text.index("Not checked: ") < text.index("<h1")


def test_redact_keeps_values_out_of_every_report(bezoar, canaries, tmp_path):
    options = ("--label", "label", "--text", "note")
    seen = 0
    for form in FORMATS:
        open_text = render(bezoar, canaries, form, *options)
        seen += CANARY in open_text
        done = bezoar("scan", canaries, "--format", form, "--fail-on", "never", "--redact", *options,
                      "--rows", tmp_path / "rows.csv")
        assert CANARY not in done.stdout + done.stderr, form
        assert CANARY not in (tmp_path / "rows.csv").read_text(encoding="utf-8")
    assert seen == len(FORMATS), "every format shows the trigger where it may"
    document = json.loads(render(bezoar, canaries, "json", "--redact", *options))
    validate(document)
    assert document["redacted"] is True


def test_redacted_reports_still_compare(bezoar, messages, tmp_path):
    for name, options in (("open.json", ()), ("closed.json", ("--redact",))):
        done = bezoar("scan", messages, "--label", "label", "--report", tmp_path / name, *options)
        assert done.returncode == 1
    done = bezoar("report", "diff", tmp_path / "open.json", tmp_path / "closed.json", "--format", "json")
    difference = json.loads(done.stdout)
    assert difference["new"] == [] and difference["gone"] == [] and difference["kept"]


def test_text_fits_the_width(bezoar, messages, canaries):
    for path in (messages, canaries):
        text = render(bezoar, path.name, "text", "--label", "label")
        assert max(map(len, text.splitlines())) <= 80
        assert "\x1b" not in text and "\u200b" not in text
