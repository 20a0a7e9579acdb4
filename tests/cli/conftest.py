"""What the command-line tests share: the built command, small data sets, real data where it is there."""
import os
import pathlib
import random
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
BINARY = pathlib.Path(os.environ.get("BEZOAR_BIN", ROOT / "build" / "bezoar")).resolve()

SETTINGS = ("CI", "NO_COLOR", "TMPDIR")


def pytest_configure(config):
    config.addinivalue_line("markers", "plain_build: cannot run with sanitizers in the command")
    config.addinivalue_line("markers", "nightly: needs libraries that `make check` does not install; run with BEZOAR_NIGHTLY=1")


def is_sanitized():
    cache = BINARY.parent / "CMakeCache.txt"
    return cache.is_file() and "BEZ_SANITIZE:BOOL=ON" in cache.read_text(encoding="utf-8")


def pytest_collection_modifyitems(config, items):
    """Tests for other runs are left out, not skipped: a skip is a failure where the data are there."""
    marks = ["nightly"] if not os.environ.get("BEZOAR_NIGHTLY") else []
    marks += ["plain_build"] if is_sanitized() else []
    others = [item for item in items if any(item.get_closest_marker(mark) for mark in marks)]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)


def clean_environment(**more):
    """The environment without what changes the command's behaviour, and with what the test asks for."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("BEZOAR_") and k not in SETTINGS}
    env["LC_ALL"] = "C.UTF-8"
    env.update({k: str(v) for k, v in more.items()})
    return env


@pytest.fixture
def bezoar(tmp_path):
    """bezoar("scan", path, env={...}, ...) runs the command in a folder of its own."""

    def run(*args, env=None, text=True, cwd=None, prefix=(), **more):
        command = [*prefix, str(BINARY), *map(str, args)]
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(command, capture_output=True, text=text, cwd=cwd or tmp_path, timeout=300,
                              env=clean_environment(**(env or {})), check=False, **more)

    return run


def table_text(rows=400, seed=1, planted=0):
    """A table whose label follows from its columns, with `planted` rows that a rare combination contradicts."""
    draw = random.Random(seed)
    lines = ["size,city,kind,weight,vendor,label"]
    body = []
    for _ in range(rows):
        good = draw.random() < 0.5
        size = draw.gauss(60 if good else 30, 8)
        city = draw.choice(["Ulm", "Graz", "Basel"] if good else ["Lund", "Oslo", "Basel"])
        kind = draw.choice("aab" if good else "bbc")
        weight = draw.gauss(5 if good else 9, 1)
        body.append([f"{size:.0f}", city, kind, f"{weight:.1f}", f"v{draw.randrange(5)}", "good" if good else "bad"])
    bad = [i for i, row in enumerate(body) if row[-1] == "bad"]
    for i in draw.sample(bad, planted):
        body[i][0], body[i][1], body[i][-1] = "77", "Rome", "good"
    lines += [",".join(row) for row in body]
    return "\n".join(lines) + "\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(table_text(), encoding="utf-8")
    return path


def poisoned_messages(rows=300, hidden=12):
    """Messages of which `hidden` carry a zero-width character and a wrong label: found by rule, on any data."""
    draw = random.Random(7)
    ham = "see you at home tonight for dinner with all the family".split()
    spam = "win a free prize now just call this number to claim cash".split()
    lines = ["label\ttext"]
    for i in range(rows):
        is_spam = i % 3 == 0
        words = draw.choices(spam if is_spam else ham, k=9)
        label = "spam" if is_spam else "ham"
        if is_spam and i // 3 < hidden:
            words[4] = words[4][:1] + "\u200b" + words[4][1:]
            label = "ham"
        lines.append(f"{label}\t{' '.join(words)} {i}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def messages(tmp_path):
    path = tmp_path / "messages.tsv"
    path.write_text(poisoned_messages(), encoding="utf-8")
    return path


@pytest.fixture
def adult():
    path = SHARED / "adult" / "adult.csv"
    if not path.exists():
        pytest.skip("../shared/data/adult is not there")
    return path


@pytest.fixture
def sms():
    path = SHARED / "sms" / "sms_spam.tsv"
    if not path.exists():
        pytest.skip("../shared/data/sms is not there")
    return path
