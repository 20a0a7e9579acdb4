"""bezoar aggregate: files in, a model and verdicts out."""
import array
import json
import random
import struct

import pytest


def save(path, tensors):
    """{name: (dtype, shape, array)} as safetensors."""
    header, blob = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        data = values.tobytes()
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def load(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + size])
    kinds = {"F32": "f", "I64": "q"}
    return {name: array.array(kinds[t["dtype"]], raw[8 + size + t["data_offsets"][0]:8 + size + t["data_offsets"][1]])
            for name, t in header.items()}


@pytest.fixture
def updates(tmp_path):
    """Ten clients around 1; the last two are attackers, and one of these sends a NaN."""
    draw = random.Random(3)
    paths = []
    for i in range(10):
        values = array.array("f", [draw.gauss(1, 0.1) if i < 8 else 1e12 for _ in range(600)])
        if i == 9:
            values[5] = float("nan")
        path = tmp_path / f"client{i}.safetensors"
        save(path, {"w": ("F32", [20, 30], values), "step": ("I64", [1], array.array("q", [i]))})
        paths.append(path)
    return paths


@pytest.mark.parametrize("rule", ["trimmed-mean", "median", "meamed", "krum", "multi-krum", "geometric-median", "mda",
                                  "caf", "smea", "dnc", "flame", "norm-clipping"])
def test_attackers_do_not_steer(bezoar, tmp_path, updates, rule):
    done = bezoar("aggregate", "--rule", rule, "--f", 2, *updates, "-o", "new.safetensors", "--report", "r.json")
    assert done.returncode == 0, done.stderr
    assert "client9.safetensors: holds NaN or infinity" in done.stdout
    model = load(tmp_path / "new.safetensors")
    assert all(abs(x - 1) < 1 for x in model["w"])
    assert model["step"][0] in range(10)
    report = json.loads((tmp_path / "r.json").read_text())
    rules = {f["rule"]["id"] if isinstance(f["rule"], dict) else f["rule"] for f in report["findings"]}
    assert {"BZ-A001", "BZ-A003"} <= rules


def test_threads_do_not_change_the_bytes(bezoar, tmp_path, updates):
    seen = set()
    for threads in (1, 2, 3, 8):
        done = bezoar("aggregate", "--rule", "trimmed-mean", "--f", 2, "--pre", "nnm", "--threads", threads, *updates, "-o",
                      "new.safetensors")
        assert done.returncode == 0, done.stderr
        seen.add((tmp_path / "new.safetensors").read_bytes())
    assert len(seen) == 1


def test_too_few_clients_are_an_error(bezoar, tmp_path, updates):
    done = bezoar("aggregate", "--rule", "bulyan", "--f", 2, *updates, "-o", "new.safetensors")
    assert done.returncode == 2
    assert "needs at least 11 updates for f = 2; there are 10" in done.stderr
    assert not (tmp_path / "new.safetensors").exists()


def test_more_odd_clients_than_f(bezoar, updates):
    done = bezoar("aggregate", "--rule", "median", "--f", 0, *updates, "-o", "new.safetensors")
    assert done.returncode == 2
    assert "more than f = 0" in done.stderr


def test_misfits_name_client_and_layer(bezoar, tmp_path, updates):
    save(tmp_path / "odd.safetensors", {"w": ("F32", [30, 20], array.array("f", [0.0] * 600)),
                                        "step": ("I64", [1], array.array("q", [0]))})
    done = bezoar("aggregate", *updates, tmp_path / "odd.safetensors", "-o", "new.safetensors")
    assert done.returncode == 2
    assert "odd.safetensors" in done.stderr and 'layer "w" has shape [30 20], expected [20 30]' in done.stderr


@pytest.mark.parametrize("arguments, says", [
    (["--rule", "medain"], "there is no such rule"),
    (["--rule", "median", "--param", "tau=1"], "no such parameter"),
    (["--rule", "trimmed-mean", "--param", "beta=2"], "not within"),
    (["--rule", "trimmed-mean", "--param", "beta"], "KEY=NUMBER"),
    (["--rule", "median", "--pre", "krum"], "no such pre-aggregator"),
    (["--rule", "centered-clipping"], "state"),
    (["--rule", "fltrust", "--f", "2"], "the server's own update"),
    (["--integers", "reference"], "reference"),
])
def test_usage(bezoar, updates, arguments, says):
    done = bezoar("aggregate", *arguments, *updates[:8], "-o", "new.safetensors")
    assert done.returncode == 2
    assert says in done.stderr


def test_output_is_never_an_input(bezoar, updates):
    before = updates[0].read_bytes()
    assert bezoar("aggregate", *updates, "-o", updates[0]).returncode == 2
    assert updates[0].read_bytes() == before


def test_state_lasts(bezoar, tmp_path, updates):
    far = []
    for _ in range(4):
        done = bezoar("aggregate", "--rule", "centered-clipping", "--param", "tau=5", "--f", 2, "--state", "memory.safetensors",
                      *updates, "-o", "new.safetensors")
        assert done.returncode == 0, done.stderr
        far.append(sum((x - 1) ** 2 for x in load(tmp_path / "new.safetensors")["w"]))
    assert far == sorted(far, reverse=True) and far[-1] < far[0] / 2


def test_broken_files(bezoar, tmp_path, updates):
    (tmp_path / "cut.safetensors").write_bytes(updates[0].read_bytes()[:-4])
    done = bezoar("aggregate", *updates[1:8], "cut.safetensors", "-o", "new.safetensors")
    assert done.returncode == 3
    assert "cut.safetensors" in done.stderr and "beyond the end of the file" in done.stderr


def test_catalogue(bezoar):
    listed = json.loads(bezoar("list", "aggregators", "--format", "json").stdout)
    assert len(listed) >= 20 if isinstance(listed, list) else listed
    for name in ("nnm", "bucketing", "clipping", "arc"):
        assert f"{name}  pre-aggregator" in bezoar("list", "aggregators").stdout


def verdicts_of(path):
    """The report's evidence by key, and {file name: {column: cell}}."""
    finding = next(f for f in json.loads(path.read_text())["findings"] if f["rule"] == "BZ-A003")
    table = finding["exhibits"][0]
    rows = [dict(zip(table["header"], row["cells"])) for row in table["rows"]]
    return {e["key"]: e["number"] for e in finding["evidence"]}, {row["client"].split("/")[-1]: row for row in rows}


def test_declared_counts_are_capped(bezoar, tmp_path, updates):
    counts = {p.name: 100 for p in updates[:7]}
    counts[str(updates[7])] = 1e9  # one by its whole path
    (tmp_path / "counts.json").write_text(json.dumps(counts))

    def model(*more):
        done = bezoar("aggregate", "--rule", "mean", "--f", 2, "--examples", "counts.json", *more, *updates[:8],
                      "-o", "new.safetensors", "--report", "r.json")
        assert done.returncode == 0, done.stderr
        return load(tmp_path / "new.safetensors")["w"][0], *verdicts_of(tmp_path / "r.json")

    first = [load(p)["w"][0] for p in updates[:8]]
    value, evidence, rows = model()
    assert value == pytest.approx(sum(first[:7]) / 7 * 5 / 6 + first[7] / 6, rel=1e-6)
    assert evidence["largest weight allowed"] == pytest.approx(1 / 6)
    assert rows["client7.safetensors"]["declared"] == "1e+09"
    assert float(rows["client7.safetensors"]["weight"]) == pytest.approx(1 / 6, rel=1e-4)
    value, _, _ = model("--max-weight", ".5")
    assert value == pytest.approx(sum(first[:7]) / 14 + first[7] / 2, rel=1e-6)
    value, _, _ = model("--max-weight", "1")
    assert value == pytest.approx(first[7], rel=1e-5)


@pytest.mark.parametrize("counts, says", [
    ({"stranger.safetensors": 5}, '"stranger.safetensors" is none of the updates'),
    ({"client0.safetensors": -5}, "has -5 examples; a positive number is needed"),
    ({"client0.safetensors": 0}, "has 0 examples"),
    ({"client0.safetensors": "many"}, "its examples are no number"),
    ({"client0.safetensors": True}, "its examples are no number"),
    ({}, "says nothing of"),
    ([1, 2], "is to be an object"),
])
def test_odd_counts_are_refused(bezoar, tmp_path, updates, counts, says):
    if isinstance(counts, dict) and counts:
        counts = {**{p.name: 10 for p in updates[:8]}, **counts}
    (tmp_path / "counts.json").write_text(json.dumps(counts))
    done = bezoar("aggregate", "--rule", "mean", "--examples", "counts.json", *updates[:8], "-o", "new.safetensors")
    assert done.returncode in (2, 3)
    assert says in done.stderr and "counts.json" in done.stderr
    assert not (tmp_path / "new.safetensors").exists()


def test_counts_that_would_change_nothing(bezoar, tmp_path, updates):
    (tmp_path / "counts.json").write_text(json.dumps({p.name: 10 for p in updates[:8]}))
    for arguments, says in ((["--examples", "counts.json", "--rule", "median"], "counts would change nothing"),
                            (["--max-weight", ".2", "--rule", "mean"], "without --examples"),
                            (["--examples", "counts.json", "--max-weight", "2", "--rule", "mean"], "not above 0"),
                            (["--examples", "counts.json", "--max-weight", "nan", "--rule", "mean"], "--max-weight")):
        done = bezoar("aggregate", *arguments, *updates[:8], "-o", "new.safetensors")
        assert done.returncode == 2 and says in done.stderr, done.stderr


def test_files_of_one_name_need_their_paths(bezoar, tmp_path, updates):
    paths = []
    for i in range(3):
        (tmp_path / str(i)).mkdir()
        paths.append(tmp_path / str(i) / "update.safetensors")
        paths[-1].write_bytes(updates[i].read_bytes())
    (tmp_path / "counts.json").write_text(json.dumps({"update.safetensors": 5}))
    run = ("aggregate", "--rule", "mean", "--examples", "counts.json", *paths, "-o", "new.safetensors")
    done = bezoar(*run)
    assert done.returncode == 2 and 'several updates are called "update.safetensors"' in done.stderr
    (tmp_path / "counts.json").write_text(json.dumps({str(p): 5 for p in paths}))
    assert bezoar(*run).returncode == 0
    (tmp_path / "counts.json").write_text('{"0/update.safetensors": 5, "0/update.safetensors": 6}')
    assert bezoar(*run).returncode == 3
