"""bezoar scan --shard, merge, --with: the merged result is the unsharded one, and a repeat scan parses only what is new."""
import json
import random
import shutil

import pytest

from conftest import SHARED, poisoned_messages, table_text


def report(path):
    whole = json.loads(path.read_text(encoding="utf-8"))
    whole.pop("run", None)
    return json.dumps(whole, sort_keys=True)


def scan(bezoar, tmp_path, *args):
    out = tmp_path / "report.json"
    result = bezoar("scan", *args, "--report", out)
    assert result.returncode in (0, 1, 3), result.stderr
    return report(out), result


def save_shards(bezoar, tmp_path, n, *args):
    states = []
    for i in range(1, n + 1):
        states.append(tmp_path / f"{i}of{n}.bez")
        result = bezoar("scan", *args, "--shard", f"{i}/{n}", "--save", states[-1])
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(f"shard {i}/{n}: ")
    return states


def same_for_all_cuts(bezoar, tmp_path, *args, cuts=(1, 2, 7), further=()):
    """The report of 1, 2 and 7 shards, merged in shuffled order, beside that of one process."""
    one, first = scan(bezoar, tmp_path, *args, *further)
    for n in cuts:
        states = save_shards(bezoar, tmp_path, n, *args)
        random.Random(n).shuffle(states)
        merged = bezoar("merge", *states, "-o", tmp_path / "all.bez")
        assert merged.returncode == 0, merged.stderr
        many, result = scan(bezoar, tmp_path, "--with", tmp_path / "all.bez", *further)
        assert many == one, f"{n} shards"
        assert result.returncode == first.returncode


def quoted_table(rows=6000, seed=3):
    """Cells with line ends, quotes and separators inside, so that a cut finds no line end it may trust."""
    draw = random.Random(seed)
    lines = ["size,note,city,label"]
    for i in range(rows):
        note = draw.choice(['"a, b\nc"', '"say ""hi""\n1,2,3,4"', "plain", '"\n\n"', '5" pipe', '"x"y'])
        lines.append(f"{draw.randrange(60)},{note},{draw.choice(['Ulm', 'Graz', 'Oslo'])},{draw.choice('ab')}")
        if i % 997 == 0:
            lines.append("1,2")
    return "\n".join(lines) + "\n"


def test_a_table(bezoar, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(table_text(rows=9000, planted=20), encoding="utf-8")
    same_for_all_cuts(bezoar, tmp_path, path)


def test_a_cut_finds_records_behind_quoted_line_ends(bezoar, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(quoted_table(), encoding="utf-8")
    same_for_all_cuts(bezoar, tmp_path, path, cuts=(1, 2, 3, 7))


def test_text(bezoar, tmp_path):
    path = tmp_path / "messages.tsv"
    path.write_text(poisoned_messages(rows=4000), encoding="utf-8")
    same_for_all_cuts(bezoar, tmp_path, path, "--text", "text", "--label", "label")


def large_table(rows, seed=5):
    """Columns that are planned as numbers of a form, dates, text and identifiers once 8 MiB are in."""
    draw = random.Random(seed)
    lines = ["key,amount,day,ratio,note,city,label"]
    words = "pay rent food late refund gift cash loan card fee".split()
    for i in range(rows):
        day = f"20{draw.randrange(10, 24)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}"
        amount = "?" if i % 500 == 0 else f"{draw.randrange(10 ** 7) / 100:.2f}"
        lines.append(f"k{i:09}x{draw.randrange(10 ** 6)},{amount},{day},{draw.random()!r},"
                     f"{' '.join(draw.choices(words, k=4))} {i},{draw.choice(['Ulm', 'Graz', 'Oslo'])},"
                     f"{draw.choice('ab')}")
    return "\n".join(lines) + "\n"


def test_columns_that_are_planned_inside_the_file(bezoar, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(large_table(160000), encoding="utf-8")
    assert path.stat().st_size > 10 << 20
    same_for_all_cuts(bezoar, tmp_path, path, cuts=(2, 7), further=("--only", "BZ-D003"))


@pytest.fixture
def folder(tmp_path):
    """Files of unlike sizes; columns are planned behind the third of them (50,000 rows)."""
    lines = large_table(70000).splitlines()
    path, at = tmp_path / "parts", 1
    path.mkdir()
    for i, n in enumerate((9000, 25000, 18000, 1000, 17000)):
        (path / f"p{i}.csv").write_text("\n".join([lines[0]] + lines[at:at + n]) + "\n", encoding="utf-8")
        at += n
    return path


FEW = ("--only", "BZ-D003")  # what is read is at stake; the smaller tables go through all checks


def test_a_folder(bezoar, tmp_path, folder):
    same_for_all_cuts(bezoar, tmp_path, folder, cuts=(2, 7), further=FEW)


def test_documents_and_json_lines(bezoar, tmp_path):
    draw = random.Random(1)
    words = "the model reads a page of words and learns from what it says".split()
    docs, lines = tmp_path / "docs", tmp_path / "lines"
    docs.mkdir()
    lines.mkdir()
    for i in range(40):
        (docs / f"d{i:02}.txt").write_text(" ".join(draw.choices(words, k=120)), encoding="utf-8")
    for k in range(3):
        rows = [{"prompt": " ".join(draw.choices(words, k=9)), "label": draw.choice("ab")} for _ in range(200)]
        for row in rows if k == 2 else []:
            row["late"] = draw.randrange(3)
        (lines / f"{k}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    same_for_all_cuts(bezoar, tmp_path, docs)
    same_for_all_cuts(bezoar, tmp_path, lines)


def test_picture_files(bezoar, tmp_path):
    draw = random.Random(2)
    for name, base in (("cat", 40), ("dog", 200)):
        (tmp_path / "pics" / name).mkdir(parents=True)
        for i in range(20):
            side = 16 if i % 7 else 20
            pixels = bytes(base + draw.randrange(-30, 30) for _ in range(side * side * 3))
            (tmp_path / "pics" / name / f"{i:02}.ppm").write_bytes(b"P6 %d %d 255\n" % (side, side) + pixels)
    (tmp_path / "pics" / "cat" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    same_for_all_cuts(bezoar, tmp_path, tmp_path / "pics")


def test_real_table(bezoar, tmp_path, adult):
    same_for_all_cuts(bezoar, tmp_path, adult, cuts=(7,), further=("--skip", "BZ-D002"))


def test_real_text(bezoar, tmp_path, sms):
    same_for_all_cuts(bezoar, tmp_path, sms, cuts=(7,))


def test_real_pictures(bezoar, tmp_path):
    images = SHARED / "gtsrb" / "gtsrb8_test_images.npy"
    if not images.exists():
        pytest.skip("../shared/data/gtsrb is not there")
    same_for_all_cuts(bezoar, tmp_path, images, "--labels-file", images.with_name("gtsrb8_test_labels.npy"),
                      further=("--only", "BZ-D010,BZ-D015"))


def test_shards_do_not_depend_on_threads(bezoar, tmp_path, folder):
    for threads in (1, 3):
        result = bezoar("scan", folder, "--shard", "2/2", "--threads", threads, "--save", tmp_path / f"{threads}.bez")
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "1.bez").read_bytes() == (tmp_path / "3.bez").read_bytes()


def test_merge_names_what_does_not_fit(bezoar, tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(table_text(rows=3000), encoding="utf-8")
    one, two, three = save_shards(bezoar, tmp_path, 3, path)
    out = tmp_path / "all.bez"

    def refused(*states):
        result = bezoar("merge", *states, "-o", out)
        assert result.returncode == 2 and not out.exists()
        return result.stderr

    assert "shard 2/3 is missing" in refused(one, three)
    shutil.copy(one, tmp_path / "again.bez")
    assert "shard 1/3 is in" in refused(one, two, three, tmp_path / "again.bez")
    other = tmp_path / "other.bez"
    assert bezoar("scan", path, "--shard", "2/3", "--label", "city", "--save", other).returncode == 0
    assert "other.bez" in refused(one, other, three) and "other options" in refused(one, other, three)
    assert bezoar("scan", path, "--shard", "2/4", "--save", other).returncode == 0
    assert "shard of 4" in refused(one, other, three)
    path.write_text(table_text(rows=3001), encoding="utf-8")
    assert bezoar("scan", path, "--shard", "2/3", "--save", other).returncode == 0
    assert "other files" in refused(one, other, three)
    result = bezoar("scan", "--with", one)
    assert result.returncode == 2 and "shard 2/3 is missing" in result.stderr


def test_options_of_a_state(bezoar, tmp_path, table):
    state = tmp_path / "s.bez"
    assert bezoar("scan", table, "--label", "label", "--source", "vendor", "--save", state).returncode in (0, 1)
    one, _ = scan(bezoar, tmp_path, table, "--label", "label", "--source", "vendor")
    assert scan(bezoar, tmp_path, "--with", state)[0] == one
    assert scan(bezoar, tmp_path, "--with", state, "--label", "label")[0] == one
    result = bezoar("scan", "--with", state, "--label", "city")
    assert result.returncode == 2 and "--label label" in result.stderr
    for wrong in ("0/2", "3/2", "1", "x/y", "1/2x"):
        assert bezoar("scan", table, "--shard", wrong, "--save", state).returncode == 2
    assert bezoar("scan", table, "--shard", "1/2").returncode == 2
    assert bezoar("scan", table, "--shard", "1/2", "--sample", "5", "--save", state).returncode == 2
    assert bezoar("scan", "--shard", "1/2", "--save", state).returncode == 2
    assert bezoar("scan", "--with", table).returncode == 3


def test_damaged_states_are_refused(bezoar, tmp_path, table):
    state, bad = tmp_path / "s.bez", tmp_path / "bad.bez"
    assert bezoar("scan", table, "--shard", "1/1", "--save", state).returncode == 0
    whole = state.read_bytes()
    draw = random.Random(4)
    for cut in [0, 7, 15, 40, len(whole) - 1] + [draw.randrange(len(whole)) for _ in range(10)]:
        bad.write_bytes(whole[:cut])
        assert bezoar("scan", "--with", bad).returncode == 3, cut
    for _ in range(30):
        at = draw.randrange(len(whole))
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1:])
        assert bezoar("scan", "--with", bad).returncode in (2, 3), at
    bad.write_bytes(whole + b"x")
    assert bezoar("scan", "--with", bad).returncode == 3


def test_yesterday_and_today(bezoar, tmp_path, folder):
    yesterday, today = tmp_path / "yesterday.bez", tmp_path / "today.bez"
    fresh, _ = scan(bezoar, tmp_path, folder, "--save", yesterday, *FEW)

    def again(*said, kept=False):
        many, result = scan(bezoar, tmp_path, folder, "--with", yesterday, "--save", today, *FEW)
        for words in said:
            assert words in result.stderr, result.stderr
        assert many == scan(bezoar, tmp_path, folder, *FEW)[0]
        assert not kept or many == scan(bezoar, tmp_path, "--with", today, *FEW)[0]
        return many

    assert again("5 files as they were, 0 new, 0 changed, 0 gone", kept=True) == fresh
    shutil.copy(folder / "p3.csv", folder / "p9.csv")
    (folder / "p4.csv").unlink()
    again("4 files as they were, 1 new, 0 changed, 1 gone", "p4.csv")
    text = (folder / "p3.csv").read_text(encoding="utf-8")
    at = text.index(",b\n", len(text) // 2)
    (folder / "p3.csv").write_text(text[:at] + ",a\n" + text[at + 3:], encoding="utf-8")
    again("1 changed", "p3.csv")
    shutil.copy(folder / "p1.csv", folder / "a.csv")  # in front: what the columns are is decided elsewhere now
    again("1 changed")
    (folder / "p2.csv").write_text("other,columns\n1,2\n", encoding="utf-8")
    again("2 changed", kept=True)


def test_what_could_not_be_read_is_not_forgotten(bezoar, tmp_path):
    folder, state = tmp_path / "parts", tmp_path / "s.bez"
    folder.mkdir()
    (folder / "a.csv").write_text(table_text(), encoding="utf-8")
    (folder / "b.csv").write_text("other,columns\n1,2\n", encoding="utf-8")
    first = bezoar("scan", folder, "--save", state)
    assert first.returncode == 3 or "not checked" in first.stdout
    second = bezoar("scan", "--with", state)
    assert second.returncode == first.returncode
    assert "b.csv" in second.stdout
