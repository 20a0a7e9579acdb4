"""What the tests of the Python package share: data sets, real where ../shared is there, generated otherwise."""
import pathlib
import random

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"

WORDS = "see you at home later please call the shop about our order and bring some milk thanks".split()


def messages(rows, seed):
    draw = random.Random(seed)
    out = []
    for i in range(rows):
        spam = draw.random() < 0.2
        words = draw.choices(WORDS, k=draw.randint(5, 14)) + (["win", "cash", "now"] if spam else [])
        out.append(("spam" if spam else "ham", f"{' '.join(words)} {i}"))
    return out


@pytest.fixture(scope="session")
def message_file(tmp_path_factory):
    """Clean messages with a label: the real SMS collection, else generated ones."""
    real = SHARED / "sms" / "sms_spam.tsv"
    if real.exists():
        return real
    path = tmp_path_factory.mktemp("sms") / "sms.tsv"
    lines = ["Label\tSMS", *("\t".join(pair) for pair in messages(3000, 1))]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def tricked_file(message_file, tmp_path_factory):
    """The same with 60 messages that carry invisible characters, and the answer key."""
    import bezoar

    folder = tmp_path_factory.mktemp("tricked")
    out, key = folder / "tricked.tsv", folder / "key.json"
    bezoar.poison(message_file, out, key, attack="invisible", rows=60, seed=7, label="Label")
    return out, key
