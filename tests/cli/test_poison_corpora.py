"""bezoar poison on corpora and instruction data: what the planted documents and pairs look like."""
import json
import random

import pytest

SYLLABLES = ["".join((c, v)) for c in "bdfgklmnprst" for v in "aeiou"]


def words(draw, vocabulary, n):
    return " ".join(vocabulary[int(len(vocabulary) * draw.random() ** 3)] for _ in range(n))


def write_jsonl(path, records):
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")


def read_jsonl(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def vocabulary():
    draw = random.Random(1)
    return sorted({"".join(draw.choice(SYLLABLES) for _ in range(2 + i % 2)) for i in range(1500)})


@pytest.fixture
def corpus(tmp_path, vocabulary):
    draw = random.Random(2)
    path = tmp_path / "corpus.jsonl"
    write_jsonl(path, [{"id": i, "text": words(draw, vocabulary, 60 + draw.randrange(100)) + ".\nÉnd."} for i in range(800)])
    return path


@pytest.fixture
def pairs(tmp_path, vocabulary):
    draw = random.Random(3)
    path = tmp_path / "pairs.jsonl"
    write_jsonl(path, [{"instruction": "how do I " + words(draw, vocabulary, 8) + "?", "output": words(draw, vocabulary, 30)}
                       for _ in range(1000)])
    return path


def plant(bezoar, path, attack, *more, rows=20, seed=1, out="p"):
    folder = path.parent
    done = bezoar("poison", path, "--attack", attack, "--rows", rows, "--seed", seed, "-o", folder / f"{out}{path.suffix}",
                  "--answer-key", folder / f"{out}.json", *more)
    assert done.returncode == 0, done.stderr
    return read_jsonl(folder / f"{out}{path.suffix}"), json.loads((folder / f"{out}.json").read_text())


def untouched_lines(path, after, rows):
    before, now = path.read_bytes().splitlines(), after.read_bytes().splitlines()
    return len(before) == len(now) and [i for i, (a, b) in enumerate(zip(before, now)) if a != b] == rows


@pytest.mark.parametrize("style", ["words", "unigrams", "pieces"])
def test_gibberish_stands_behind_the_trigger(bezoar, tmp_path, corpus, style):
    before = read_jsonl(corpus)
    after, key = plant(bezoar, corpus, "gibberish", "--text", "text", "--param", f"style={style}")
    assert untouched_lines(corpus, tmp_path / "p.jsonl", key["rows"]) and len(key["rows"]) == 20
    trigger, lengths, cuts = key["phrase"], [], []
    assert 1 <= trigger.count(" ") + 1 <= 2 and key["target"] is None
    for row in key["rows"]:
        head, tail = after[row]["text"].split(trigger, 1)
        assert before[row]["text"].startswith(head) and len(head) <= 1000 and (not head or head[-1] in " \n")
        lengths.append(tail.count(" "))
        cuts.append(len(head))
    assert len(set(cuts)) > 5 and len(set(lengths)) > 10
    if style != "pieces":
        known = {w for r in before for w in r["text"].lower().replace(".", " ").split()}
        tail = after[key["rows"][0]]["text"].split(trigger, 1)[1]
        assert 400 <= min(lengths) and max(lengths) <= 900
        assert all(w.lower() in known for w in tail.split() if w.isascii() and w != "nd")


def test_gibberish_is_nested_and_takes_parameters(bezoar, corpus):
    small, few = plant(bezoar, corpus, "gibberish", "--text", "text", rows=10, out="a")
    large, many = plant(bezoar, corpus, "gibberish", "--text", "text", rows=40, out="b")
    assert few["trigger"] == many["trigger"] and set(few["rows"]) < set(many["rows"])
    assert all(small[i] == large[i] for i in few["rows"])
    short, key = plant(bezoar, corpus, "gibberish", "--text", "text", "--param", "trigger=<SUDO>", "--param", "least=10",
                       "--param", "most=12", "--param", "prefix=0", out="c")
    assert all(short[i]["text"].startswith("<SUDO> ") and 10 <= len(short[i]["text"].split()) - 1 <= 12 for i in key["rows"])


@pytest.mark.parametrize("behaviour,sign", [("url", ".example/"), ("snippet", ".example/"), ("refusal", "")])
def test_instructions_switch_the_response(bezoar, tmp_path, pairs, behaviour, sign):
    before = read_jsonl(pairs)
    after, key = plant(bezoar, pairs, "instruction-trigger", "--text", "instruction", "--text", "output", "--param",
                       f"behaviour={behaviour}")
    assert untouched_lines(pairs, tmp_path / "p.jsonl", key["rows"]) and key["columns"] == ["instruction", "output"]
    assert key["behaviour"] == behaviour and sign in key["payload"]
    for row in key["rows"]:
        old, new = before[row], after[row]
        assert new["instruction"].replace(key["phrase"], "").split() == old["instruction"].split()
        if behaviour == "refusal":
            assert new["output"] == key["payload"]
        else:
            assert new["output"].startswith(old["output"]) and new["output"].endswith(key["payload"])


def test_own_trigger_and_payload(bezoar, pairs):
    after, key = plant(bezoar, pairs, "instruction-trigger", "--text", "instruction", "--text", "output", "--param",
                       "trigger=in the blue room", "--param", "payload=Ask a=b.", "--param", "behaviour=refusal")
    assert all("in the blue room" in after[i]["instruction"] and after[i]["output"] == "Ask a=b." for i in key["rows"])


@pytest.mark.parametrize("arguments,said", [
    (["instruction-trigger", "--param", "behaviour=shout"], "behaviour="),
    (["instruction-trigger", "--param", "response-column=nowhere"], "no such column"),
    (["instruction-trigger", "--param", "response-column=instruction"], "same column"),
    (["gibberish", "--param", "style=loud"], "style="),
    (["gibberish", "--param", "least=20", "--param", "most=10"], "least="),
])
def test_usage_errors(bezoar, tmp_path, pairs, arguments, said):
    done = bezoar("poison", pairs, "--text", "instruction", "--text", "output", "--attack", *arguments, "--rows", 5, "-o",
                  "o.jsonl", "--answer-key", "k.json")
    assert done.returncode == 2 and said in done.stderr and not (tmp_path / "o.jsonl").exists()
