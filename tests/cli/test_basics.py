"""Help, version, lists, explanations, and the texts made from the tables."""
import json
import re
import shutil
import subprocess

import pytest
from conftest import BINARY, ROOT

# The table of commands, from the page made of it (which is compared below).
COMMANDS = re.findall(r"^\| \[([a-z -]+)\]", (ROOT / "docs" / "commands" / "README.md").read_text(), re.M)


def test_the_table_is_found():
    assert {"scan", "report diff", "vault init"} <= set(COMMANDS)


def test_help_and_version(bezoar):
    overview = bezoar("--help")
    assert overview.returncode == 0 and overview.stderr == ""
    for command in COMMANDS:
        assert f"\n  {command} " in overview.stdout
    assert bezoar("-h").stdout == overview.stdout == bezoar("help").stdout
    version = bezoar("--version")
    assert version.returncode == 0 and version.stdout.startswith("bezoar 0.")
    assert bezoar("version").stdout == bezoar("-V").stdout == version.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(bezoar, command):
    words = command.split()
    by_option = bezoar(*words, "--help")
    assert by_option.returncode == 0
    assert by_option.stdout.startswith(f"Usage: bezoar {command}")
    assert bezoar(*words, "-h").stdout == by_option.stdout == bezoar("help", *words).stdout


def test_nothing_given_is_usage(bezoar):
    assert bezoar().returncode == 2
    assert bezoar("report").returncode == bezoar("vault").returncode == bezoar("vault", "key").returncode == 2
    assert "bezoar vault key new" in bezoar("vault", "key", "--help").stdout
    assert bezoar("vault", "key", "--help").returncode == 0
    assert bezoar("scan").returncode == 2


def test_unknown_words_suggest_the_nearest(bezoar):
    for words, near in [(["scna"], "scan"), (["posion"], "poison"), (["report", "dif"], "report diff"),
                        (["vault", "comit"], "vault commit"), (["vault", "key", "nwe"], "vault key new"),
                        (["help", "claen"], "clean"), (["list", "detector"], "detectors"),
                        (["explain", "BZ-D05"], "BZ-D0"), (["scan", "--lable", "x", "y"], "--label")]:
        result = bezoar(*words)
        assert result.returncode == 2, words
        assert result.stdout == ""
        assert result.stderr.startswith("bezoar: "), words
        assert near in result.stderr and "hint: " in result.stderr, result.stderr


def test_lists(bezoar):
    counts = dict(line.split() for line in bezoar("list").stdout.splitlines())
    for kind in ["detectors", "attacks", "formats", "reports", "aggregators"]:
        assert int(counts[kind]) > 0
        text = bezoar("list", kind)
        assert text.returncode == 0
        entries = json.loads(bezoar("list", kind, "--format", "json").stdout)[kind]
        assert len(entries) == int(counts[kind])
        assert all(entry["id"] in text.stdout and entry["summary"] for entry in entries)
        assert all(len(line) <= 80 for line in text.stdout.splitlines())


def test_every_rule_is_explained(bezoar):
    detectors = json.loads(bezoar("list", "detectors", "--format", "json").stdout)["detectors"]
    for rule in [d["id"] for d in detectors] + ["BZ-F001"]:
        text = bezoar("explain", rule)
        assert text.returncode == 0
        assert rule in text.stdout and "What to do" in text.stdout
        assert all(len(line) <= 80 for line in text.stdout.splitlines())
    assert "Null hypothesis" in bezoar("explain", detectors[0]["name"]).stdout
    assert bezoar("explain", detectors[0]["id"].lower()).returncode == 0


def test_reference_pages_are_current(bezoar, tmp_path):
    made = tmp_path / "docs"
    made.mkdir()
    assert bezoar("docs", made).returncode == 0
    pages = sorted(p.relative_to(made) for p in made.rglob("*.md"))
    assert len(pages) >= len(COMMANDS) + 4
    for page in pages:
        committed = ROOT / "docs" / page
        assert committed.exists(), f"docs/{page} is not committed: run make docs"
        assert committed.read_text() == (made / page).read_text(), f"docs/{page} is not current: run make docs"
    stale = {p.name for p in (ROOT / "docs" / "commands").glob("*.md")} - {p.name for p in pages}
    assert not stale, f"pages of commands that are gone: {stale}"


def test_man_pages_are_well_formed(bezoar, tmp_path):
    assert bezoar("man", "--into", tmp_path).returncode == 0
    pages = list(tmp_path.glob("*.1"))
    assert {p.name for p in pages} == {"bezoar.1"} | {f"bezoar-{c.replace(' ', '-')}.1" for c in COMMANDS}
    if shutil.which("groff"):
        for page in pages:
            lint = subprocess.run(["groff", "-man", "-ww", "-z", "-Kutf8", page], capture_output=True, text=True,
                                  check=False)
            assert lint.returncode == 0 and lint.stderr == "", lint.stderr
    assert ".SH OPTIONS" in bezoar("man", "scan").stdout
    assert bezoar("man", "nothing").returncode == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_parse(bezoar, shell, tmp_path):
    script = bezoar("completion", shell)
    assert script.returncode == 0 and "--label" in script.stdout.replace("-l label", "--label")
    if shutil.which(shell):
        path = tmp_path / "completion"
        path.write_text(script.stdout)
        assert subprocess.run([shell, "-n", path], check=False).returncode == 0


def complete(line, tmp_path):
    """What bash offers behind a command line, through the generated script."""
    script = subprocess.run([BINARY, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    words = line.split(" ")
    test = script + f"\nCOMP_WORDS=({' '.join(words) or ''})\n" + (
        f"COMP_CWORD={len(words) - 1}\n_bezoar\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n")
    return subprocess.run(["bash", "-c", test], capture_output=True, text=True, cwd=tmp_path,
                          check=True).stdout.split()


def test_bash_completes(tmp_path):
    assert "scan" in complete("bezoar sc", tmp_path)
    assert "--label" in complete("bezoar scan --la", tmp_path)
    assert complete("bezoar report di", tmp_path) == ["diff"]
    assert complete("bezoar vault key n", tmp_path) == ["new"]
    assert {"init", "key", "blame"} <= set(complete("bezoar vault ", tmp_path))
    assert "--reason" in complete("bezoar vault revoke --re", tmp_path)
    assert complete("bezoar scan --fail-on war", tmp_path) == ["warning"]
    assert complete("bezoar list det", tmp_path) == ["detectors"]


def test_unknown_shell(bezoar):
    assert bezoar("completion", "tcsh").returncode == 2
