"""The truth harness counts what it says it counts: scores against their definitions, subsamples that keep copies whole,
cells that are named apart."""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "detect"))

import cells  # noqa: E402
import data  # noqa: E402
import score  # noqa: E402


def listed(rows, rule="BZ-D006", severity="note"):
    return [{"row": str(r), "rule": rule, "severity": severity, "score": str(s)} for r, s in rows]


def test_auc_is_the_probability_of_ranking_right():
    r = random.Random(1)
    for _ in range(20):
        n = 40
        truth = r.sample(range(n), 7)
        scores = {i: r.randrange(6) + (i in truth) for i in r.sample(range(n), 15)}
        full = [scores.get(i, -1) for i in range(n)]
        wins = sum((full[a] > full[b]) + 0.5 * (full[a] == full[b]) for a in truth for b in range(n) if b not in truth)
        got = score.flip_auc(listed(scores.items()), {"rows": truth}, n)
        assert abs(got - wins / (7 * 33)) < 1e-12


def test_nothing_listed_is_chance():
    assert score.flip_auc([], {"rows": [1, 2]}, 10) == 0.5


def test_natural_rows_are_scored_neither_way():
    got = score.precision_recall({1, 2, 3, 9}, {"rows": [1, 2, 4, 5], "natural": [9]})
    assert got == {"recall": 0.5, "precision": 2 / 3, "flagged": 3}
    assert score.precision_recall({9}, {"rows": [1], "natural": [9]})["precision"] == 0


def test_alarms_leave_notes_and_ranked_lists_out():
    rows = (listed([(1, 2)], "BZ-D001", "error") + listed([(2, 2)], "BZ-D002", "note") + listed([(3, 2)])
            + listed([(4, 2)], "BZ-D007", "warning") + listed([(5, 2)], "BZ-D004", "warning"))
    assert score.alarms(rows) == {1, 5} and score.flip_rows(rows) == {3, 4}


def test_subsamples_keep_copies_whole(tmp_path):
    lines = [f"{i % 37},{i % 5}" for i in range(1000)]
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("\n".join(["a,b", *lines]) + "\n")
    data.subsample(source, out, 3)
    kept = out.read_text().splitlines()[1:]
    assert len(set(kept)) == round(0.8 * len(set(lines)))
    assert kept == [x for x in lines if x in set(kept)]
    data.subsample(source, out, 4)
    assert out.read_text().splitlines()[1:] != kept


def test_cells_are_named_apart_and_fresh_seeds_are_fresh():
    names = [c.name for c in cells.all_cells()]
    assert len(names) == len(set(names))
    assert cells.FRESH >= 1000 > cells.QUICK_SEEDS
    assert all(c.seeds >= 10 for c in cells.all_cells() if c.kind != "clean")
