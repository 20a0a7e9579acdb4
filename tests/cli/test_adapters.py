"""Adapters, last layers and lineage, against NumPy where numbers are claimed. Skipped, with a reason, without NumPy."""
import concurrent.futures
import json
import pathlib
import struct

import pytest

np = pytest.importorskip("numpy")
hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies


def save(path, tensors, about=None):
    """{name: array} as safetensors."""
    header, blob = ({"__metadata__": about} if about else {}), b""
    for name, values in tensors.items():
        data = np.ascontiguousarray(values, np.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(np.shape(values)), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + blob)


def findings(done, rule):
    return [f for f in json.loads(done.stdout)["findings"] if f["rule"] == rule]


def evidence(finding):
    return {e["key"]: e["number"] if e["number"] is not None else e["text"] for e in finding["evidence"]}


def modules(finding):
    """The exhibit of modules as {name: {heading: number}}."""
    cells = finding["exhibits"][0]
    return {r["cells"][0]: dict(zip(cells["header"][1:], map(number, r["cells"][1:]))) for r in cells["rows"]}


def number(text):
    return float("nan") if text == "-" else float(text)


def lora(rng, layers=12, kinds=("q_proj", "v_proj"), rows=48, cols=64, rank=8, heavy=(), by=1.0):
    out = {}
    for layer in range(layers):
        for kind in kinds:
            name = f"base_model.model.model.layers.{layer}.self_attn.{kind}"
            scale = by if (layer, kind) in heavy else np.exp(0.2 * rng.normal())
            out[name + ".lora_A.weight"] = rng.normal(size=(rank, cols))
            out[name + ".lora_B.weight"] = scale * rng.normal(size=(rows, rank))
    return out


# ---- spectra -------------------------------------------------------------------------------------------------------

@st.composite
def factors(draw):
    m, n, r = draw(st.integers(1, 40)), draw(st.integers(1, 40)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    b, a = rng.normal(size=(m, r)), rng.normal(size=(r, n))
    if draw(st.booleans()):  # a rank below r
        a[r // 2:] = a[:r - r // 2] * 2
    if draw(st.booleans()):  # some of it zero
        b[:, : r // 2] = 0
    scales = [1e-30, 1e-12, 1.0, 1e12, 1e25]
    return (b * draw(st.sampled_from(scales))).astype(np.float32), (a * draw(st.sampled_from(scales))).astype(np.float32)


@hypothesis.settings(max_examples=40, deadline=None,
                     suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(pairs=st.lists(factors(), min_size=1, max_size=6))
def test_spectra_are_those_of_numpy(bezoar, tmp_path, pairs):
    tensors = {}
    for i, (b, a) in enumerate(pairs):
        tensors[f"layers.{i}.x.lora_A.weight"], tensors[f"layers.{i}.x.lora_B.weight"] = a, b
    save(tmp_path / "a.safetensors", tensors, {"ss_network_alpha": "3"})
    outputs = {bezoar("scan", "a.safetensors", "--format", "json", "--threads", t).stdout.split('"run"')[0] for t in (1, 3)}
    assert len(outputs) == 1
    done = bezoar("scan", "a.safetensors", "--format", "json")
    notes = [f for f in findings(done, "BZ-M010") if "a low-rank adapter" in f["title"]]
    shown = modules(notes[0])
    said = evidence(notes[0])
    for i, (b, a) in enumerate(pairs):
        scale = (1.0 if "alpha" in said else 3 / a.shape[0])
        want = scale * b.astype(float) @ a.astype(float)
        values = np.append(np.linalg.svd(want, compute_uv=False), [0, 0, 0])
        got = shown[f"layers.{i}.x"]
        for k, name in enumerate(("σ1", "σ2", "σ3")):
            assert got[name] == pytest.approx(values[k], rel=1e-6, abs=1e-7 * values[0] + 1e-300)
        assert got["norm"] == pytest.approx(np.linalg.norm(want), rel=1e-6)
        if values[0] == 0:
            continue
        share = values**2 / np.sum(values**2)
        assert got["σ1² / Σσ²"] == pytest.approx(share[0], rel=1e-6)
        share = share[share > 0]
        assert got["effective rank"] == pytest.approx(np.exp(-np.sum(share * np.log(share))), rel=1e-5)
        square = want**2 / np.sum(want**2)
        assert got["row"] == pytest.approx(square.sum(1).max(), rel=1e-5)
        assert got["column"] == pytest.approx(square.sum(0).max(), rel=1e-5)
        off = (want - want.mean()) / np.abs(want).max()
        if want.size > 1 and off.std() > 1e-6:
            assert got["kurtosis"] == pytest.approx(np.mean(off**4) / np.mean(off**2) ** 2, rel=1e-4)


def test_names_of_every_tool(bezoar, tmp_path):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(4, 20)), rng.normal(size=(30, 4))
    names = [("base_model.model.x.q.lora_A.weight", "base_model.model.x.q.lora_B.weight"),
             ("x.q.lora_A.default.weight", "x.q.lora_B.default.weight"),
             ("x.lora_embedding_A", "x.lora_embedding_B"), ("blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"),
             ("lora_unet_down_q.lora_down.weight", "lora_unet_down_q.lora_up.weight"),
             ("unet.up.attn1.to_q.lora.down.weight", "unet.up.attn1.to_q.lora.up.weight"),
             ("mid.attn1.processor.to_q_lora.down.weight", "mid.attn1.processor.to_q_lora.up.weight")]
    for down, up in names:
        save(tmp_path / "a.safetensors", {down: a, up: b})
        notes = findings(bezoar("scan", "a.safetensors", "--format", "json"), "BZ-M010")
        assert len(notes) == 1, down
        (got,) = modules(notes[0]).values()
        assert got["σ1"] == pytest.approx(np.linalg.norm(b.astype(np.float32) @ a.astype(np.float32), 2), rel=1e-5)
        assert (got["rows"], got["columns"], got["rank"]) == (30, 20, 4)
    conv = {"c.lora_down.weight": rng.normal(size=(4, 3, 3, 3)), "c.lora_up.weight": rng.normal(size=(8, 4, 1, 1)),
            "c.alpha": np.array(8.0)}
    save(tmp_path / "a.safetensors", conv)
    (note,) = findings(bezoar("scan", "a.safetensors", "--format", "json"), "BZ-M010")
    want = 2 * conv["c.lora_up.weight"].reshape(8, 4) @ conv["c.lora_down.weight"].reshape(4, 27)
    assert modules(note)["c"]["norm"] == pytest.approx(np.linalg.norm(want), rel=1e-5)


@pytest.mark.parametrize("rs", [False, True])
def test_alpha_of_the_configuration_beside_it(bezoar, tmp_path, rs):
    rng = np.random.default_rng(11)
    tensors = lora(rng, layers=2)
    for folder, alpha in (("one", 16), ("two", 5)):
        (tmp_path / "m" / folder).mkdir(parents=True)
        save(tmp_path / "m" / folder / "adapter_model.safetensors", tensors)
        (tmp_path / "m" / folder / "adapter_config.json").write_text(json.dumps({
            "peft_type": "LORA", "base_model_name_or_path": "a/b", "r": 8, "lora_alpha": alpha, "use_rslora": rs,
            "alpha_pattern": {"layers.1.self_attn.v_proj": 32}}))
    notes = [f for f in findings(bezoar("scan", "m", "--format", "json"), "BZ-M010") if "a low-rank adapter" in f["title"]]
    assert len(notes) == 2
    for note in notes:
        usual = 16 if "/one/" in note["title"] else 5
        for name, got in modules(note).items():
            alpha = 32 if name.endswith("layers.1.self_attn.v_proj") else usual
            b, a = (tensors[f"{name}.lora_{x}.weight"].astype(np.float32).astype(float) for x in "BA")
            want = alpha / (np.sqrt(8) if rs else 8) * np.linalg.norm(b @ a)
            assert got["norm"] == pytest.approx(want, rel=1e-6)
        assert ("rsLoRA" in str(evidence(note))) == rs and "alpha" not in evidence(note)


def test_what_does_not_fit_is_not_checked(bezoar, tmp_path):
    rng = np.random.default_rng(1)
    good = lora(rng, layers=1)
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"
    for spoil, words in ((lambda t: t.pop(name), "make no pair"),
                         (lambda t: t.__setitem__(name, np.ones((48, 7))), "make no pair"),
                         (lambda t: t[name].__setitem__((0, 0), np.nan), "not finite"),
                         (lambda t: t.__setitem__("x.hada_w1_a", np.ones((4, 4))), "make no pair")):
        tensors = {k: v.copy() for k, v in good.items()}
        spoil(tensors)
        save(tmp_path / "a.safetensors", tensors)
        done = bezoar("scan", "a.safetensors", "--only", "BZ-M010")
        assert done.returncode == (3 if words == "not finite" else 0) and words in " ".join(done.stdout.split()), done.stdout
    save(tmp_path / "other.safetensors", {"x.hada_w1_a": np.ones((4, 4)), "x.hada_w1_b": np.ones((4, 4))})
    assert "2 tensors of the adapter make no pair" in " ".join(bezoar("scan", "other.safetensors").stdout.split())
    save(tmp_path / "zero.safetensors", {k: 0 * v for k, v in good.items()})
    assert bezoar("scan", "zero.safetensors", "--only", "BZ-M010").returncode == 0


def test_a_module_that_stands_out(bezoar, tmp_path):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        save(tmp_path / "plain.safetensors", lora(rng))
        save(tmp_path / "heavy.safetensors", lora(rng, heavy=[(5, "v_proj")], by=12.0))
        plain = findings(bezoar("scan", "plain.safetensors", "--format", "json"), "BZ-M010")
        heavy = findings(bezoar("scan", "heavy.safetensors", "--format", "json"), "BZ-M010")
        assert [f["severity"] for f in plain] == ["note"]
        assert [f["severity"] for f in heavy] == ["warning", "note"]
        assert "layers.5.self_attn.v_proj" in heavy[0]["title"]


def test_against_the_base(bezoar, tmp_path):
    rng = np.random.default_rng(2)
    base = {f"model.layers.{i}.self_attn.q_proj.weight": rng.normal(size=(48, 64)) for i in range(2)}
    save(tmp_path / "base.safetensors", base)
    save(tmp_path / "a.safetensors", lora(rng, layers=2))
    notes = findings(bezoar("scan", "a.safetensors", "--base", "base.safetensors", "--format", "json"), "BZ-M010")
    for name, m in modules(notes[-1]).items():
        at = name.removeprefix("base_model.model.") + ".weight"
        if at in base:
            assert m["norm / base"] == pytest.approx(m["norm"] / np.linalg.norm(base[at]), rel=1e-5)
        else:
            assert np.isnan(m["norm / base"])


# ---- banks ---------------------------------------------------------------------------------------------------------

def test_ranks_among_known_adapters(bezoar, tmp_path):
    rng = np.random.default_rng(3)
    (tmp_path / "known").mkdir()
    for i in range(150):
        save(tmp_path / f"known/{i}.safetensors", lora(rng, layers=3, rows=12, cols=16, rank=2))
    done = bezoar("bank", "add", "b.bank", "known")
    assert done.returncode == 0 and "150 adapters put into b.bank, 150 in it now" in done.stdout, done.stderr
    before = (tmp_path / "b.bank").read_bytes()
    assert bezoar("bank", "add", "b.bank", "known/7.safetensors").returncode == 0
    assert (tmp_path / "b.bank").read_bytes() == before
    save(tmp_path / "large.safetensors", {k: 9 * v for k, v in lora(rng, layers=3, rows=12, cols=16, rank=2).items()})
    (worst, *_) = findings(bezoar("scan", "large.safetensors", "--bank", "b.bank", "--format", "json"), "BZ-M010")
    assert worst["severity"] == "warning" and worst["p_value"] == pytest.approx(7 / 151)
    assert "150 of 150 reference adapters" in worst["title"] and "no proof" in evidence(worst)["meaning"]
    ranked = [f for i in range(40) for f in
              findings(bezoar("scan", f"known/{i}.safetensors", "--bank", "b.bank", "--format", "json"), "BZ-M010")
              if "reference" in f["title"]]
    assert len(ranked) == 40 and all("of 149 reference adapters" in f["title"] for f in ranked)
    assert sum(f["severity"] == "warning" for f in ranked) <= 6


def test_a_bank_takes_all_or_nothing(bezoar, tmp_path):
    rng = np.random.default_rng(4)
    save(tmp_path / "good.safetensors", lora(rng, layers=1))
    save(tmp_path / "none.safetensors", {"w": np.ones((3, 3))})
    done = bezoar("bank", "add", "b.bank", "good.safetensors", "none.safetensors")
    assert done.returncode == 3 and "no low-rank adapter" in done.stderr
    assert not (tmp_path / "b.bank").exists()
    (tmp_path / "b.bank").write_text("something else\n")
    assert bezoar("bank", "add", "b.bank", "good.safetensors").returncode != 0
    assert (tmp_path / "b.bank").read_text() == "something else\n"
    done = bezoar("scan", "good.safetensors", "--bank", "b.bank")
    assert done.returncode == 3


def test_two_at_once(bezoar, tmp_path):
    rng = np.random.default_rng(5)
    for i in range(12):
        save(tmp_path / f"{i}.safetensors", lora(rng, layers=1))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(lambda i: bezoar("bank", "add", "b.bank", f"{i}.safetensors").returncode, range(12)))
    assert codes == [0] * 12
    assert len((tmp_path / "b.bank").read_text().splitlines()) == 13


# ---- last layers ---------------------------------------------------------------------------------------------------

def classifier(rng, classes=20, target=None, by=0.0):
    last = rng.normal(size=(classes, 64)) * 0.1
    if target is not None:
        last[target] += by
    return {"features.0.weight": rng.normal(size=(64, 32)), "fc.weight": last, "fc.bias": np.zeros(classes)}


def test_a_class_unlike_the_others(bezoar, tmp_path):
    warned = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        save(tmp_path / "plain.safetensors", classifier(rng))
        save(tmp_path / "bad.safetensors", classifier(rng, target=7, by=0.2))
        (plain,) = findings(bezoar("scan", "plain.safetensors", "--format", "json"), "BZ-M011")
        (bad,) = findings(bezoar("scan", "bad.safetensors", "--format", "json"), "BZ-M011")
        warned += plain["severity"] == "warning"
        assert bad["severity"] == "warning" and evidence(bad)["class"] == 7 and bad["p_value"] <= 0.02
    assert warned <= 2


def test_what_is_no_classifier(bezoar, tmp_path):
    rng = np.random.default_rng(1)
    for tensors in ({"lm_head.weight": rng.normal(size=(64, 32))},
                    {"model.embed_tokens.weight": rng.normal(size=(100, 32)), "norm.bias": np.ones(32)},
                    {"h.0.attn.c_proj.weight": rng.normal(size=(32, 32)), "h.0.attn.c_proj.bias": np.ones(32)},
                    {"fc.weight": rng.normal(size=(2, 32)), "fc.bias": np.ones(2)},
                    {"fc.weight": np.ones((10, 32)), "fc.bias": np.ones(10)},
                    {"fc.weight": np.full((10, 32), np.nan), "fc.bias": np.ones(10)}):
        save(tmp_path / "m.safetensors", tensors)
        assert findings(bezoar("scan", "m.safetensors", "--only", "BZ-M011", "--format", "json"), "BZ-M011") == []


# ---- lineage -------------------------------------------------------------------------------------------------------

def language_model(rng, layers=4, width=64, hidden=160):
    return {f"model.layers.{i}.mlp.{name}.weight": rng.normal(size=(width, hidden) if name == "down_proj" else (hidden, width))
            for i in range(layers) for name in ("gate_proj", "up_proj", "down_proj")}


def lineage(bezoar, tmp_path, model, base):
    save(tmp_path / "m.safetensors", model)
    save(tmp_path / "b.safetensors", base)
    (found,) = findings(bezoar("scan", "m.safetensors", "--base", "b.safetensors", "--format", "json"), "BZ-M012")
    return found


def test_derived_shuffled_and_independent(bezoar, tmp_path):
    rng = np.random.default_rng(6)
    base = language_model(rng)
    tuned = {k: v + 0.5 * rng.normal(size=v.shape) for k, v in base.items()}
    found = lineage(bezoar, tmp_path, tuned, base)
    assert found["severity"] == "note" and found["p_value"] <= 1e-3 and "derived from the base, p" in found["title"]
    shuffled = {}
    for i in range(4):
        order = rng.permutation(160)
        for name in ("gate_proj", "up_proj", "down_proj"):
            key = f"model.layers.{i}.mlp.{name}.weight"
            shuffled[key] = tuned[key][:, order] if name == "down_proj" else tuned[key][order]
    found = lineage(bezoar, tmp_path, shuffled, base)
    assert found["severity"] == "warning" and "another order" in found["title"] and found["p_value"] <= 1e-3
    other = [lineage(bezoar, tmp_path, language_model(rng), base) for _ in range(8)]
    assert all(f["p_value"] > 1e-3 for f in other)
    assert sum(f["severity"] == "warning" and "nothing shows" in f["title"] for f in other) >= 6


def test_names_of_other_formats_and_nothing_in_common(bezoar, tmp_path):
    rng = np.random.default_rng(7)
    base = language_model(rng)
    gguf = {k.replace("model.layers", "blk").replace("mlp.", "ffn_").replace("_proj", ""): v for k, v in base.items()}
    for pair in ((gguf, base), (base, gguf)):
        assert "derived" in lineage(bezoar, tmp_path, *pair)["title"]
    save(tmp_path / "m.safetensors", {"x": np.ones((8, 8))})
    save(tmp_path / "b.safetensors", base)
    done = bezoar("scan", "m.safetensors", "--base", "b.safetensors")
    assert "no layer of hidden units has the same name and shape" in " ".join(done.stdout.split())


@pytest.mark.parametrize("first, second", [("h.{}.mlp.c_fc", "h.{}.mlp.c_proj"), ("layers.{}.fc1", "layers.{}.fc2")])
def test_units_along_either_dimension(bezoar, tmp_path, first, second):
    rng = np.random.default_rng(8)
    shapes = ((48, 200), (200, 48)) if "c_fc" in first else ((200, 48), (48, 200))
    names = [n.format(i) + ".weight" for i in range(3) for n in (first, second)]
    base = {n: rng.normal(size=shapes[k % 2]) for k, n in enumerate(names)}
    turned = {}
    for k in range(0, 6, 2):
        order = rng.permutation(200)
        for n in names[k:k + 2]:
            turned[n] = base[n][order] if base[n].shape[0] == 200 else base[n][:, order]
    assert "derived from the base, p" in lineage(bezoar, tmp_path, {n: v + rng.normal(size=v.shape) for n, v in base.items()}, base)["title"]
    assert "another order" in lineage(bezoar, tmp_path, turned, base)["title"]
    other = lineage(bezoar, tmp_path, {n: rng.normal(size=v.shape) for n, v in base.items()}, base)
    assert other["p_value"] > 1e-3 and "another order" not in other["title"]
