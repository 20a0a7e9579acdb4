"""What bezoar.aggregate does with torch tensors. Run by test_aggregate_torch.py in an interpreter that has torch; prints
one JSON object: name of each check, "" or what went wrong."""
import hashlib
import json
import resource
import sys
import traceback

import numpy as np
import torch

import bezoar

FLOATS = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
WHOLE = [torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool]


def tensors(n=9, shape=(6, 4), dtype=torch.float32):
    torch.manual_seed(1)
    return [torch.randn(shape).to(dtype) for _ in range(n)]


def refusal(*updates, kind=bezoar.UnsupportedError, says=""):
    try:
        bezoar.aggregate([{"w": update} for update in updates], clients=[f"c{i}" for i in range(len(updates))])
    except kind as error:
        assert 'layer "w"' in str(error) and says in str(error), error
        return error
    raise AssertionError("was not refused")


def every_type():
    for dtype in FLOATS + WHOLE:
        updates = [torch.tensor(v).to(dtype) for v in ([1, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 1], [1, 0, 1])]
        result, _ = bezoar.aggregate(updates, "median", 1)
        assert result.dtype == dtype and torch.equal(result, updates[4]), (dtype, result)


def median_of_torch():
    for dtype in FLOATS:
        updates = tensors(dtype=dtype)
        result, verdicts = bezoar.aggregate(updates, "median", 2)
        assert torch.equal(result, torch.stack(updates).float().median(dim=0).values.to(dtype)) and len(verdicts) == 9


def same_as_numpy():
    updates = tensors(shape=(30, 7))
    for rule in ("trimmed-mean", "multi-krum", "geometric-median", "caf"):
        by_tensor, one = bezoar.aggregate(updates, rule, 2)
        by_array, two = bezoar.aggregate([update.numpy() for update in updates], rule, 2)
        assert by_tensor.numpy().tobytes() == by_array.tobytes() and one == two


def views():
    base = torch.randn(8, 12)
    for dtype in FLOATS + WHOLE:
        wide = (base * 9).to(dtype)
        for view in (wide.t(), wide[::2, 1::3], wide[0].expand(5, 12), wide[3, 4], wide[:, 3:5], wide.permute(1, 0)[None]):
            result, _ = bezoar.aggregate([view] * 3, "median", 1)
            assert result.is_contiguous() and torch.equal(result, view), (dtype, view.shape)


def empty():
    result, _ = bezoar.aggregate([{"a": torch.zeros(0, 3), "b": torch.ones(1)}] * 3, f=1)
    assert result["a"].shape == (0, 3) and result["b"].tolist() == [1]


def gradients_and_parameters():
    updates = [torch.nn.Parameter(t) for t in tensors()]
    result, _ = bezoar.aggregate(updates, "median", 2)
    assert type(result) is torch.Tensor and not result.requires_grad
    assert all(update.requires_grad for update in updates)


def negated_view():
    flagged = torch.tensor([1 + 2j, 3 - 4j]).conj().imag
    assert flagged.is_neg() and bezoar.aggregate([flagged] * 3)[0].tolist() == [-2, 4]


def state_dict():
    torch.manual_seed(3)
    models = [torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)) for _ in range(7)]
    for i, model in enumerate(models):
        model(torch.randn(6, 5))
        model[1].num_batches_tracked += i
    states = [model.state_dict() for model in models]
    before = [hashlib.sha256(b"".join(t.numpy().tobytes() for t in s.values())).hexdigest() for s in states]
    result, _ = bezoar.aggregate(states, "trimmed-mean", 2, reference=states[0], pre="nnm")
    after = [hashlib.sha256(b"".join(t.numpy().tobytes() for t in s.values())).hexdigest() for s in states]
    assert before == after and type(result).__name__ == "OrderedDict"
    assert models[0].load_state_dict(result).missing_keys == []
    assert result["1.num_batches_tracked"] == 4
    wrong = dict(states[1], **{"2.weight": torch.zeros(3, 3)})
    try:
        bezoar.aggregate([states[0], wrong, states[2]], clients=["a", "b", "c"])
    except bezoar.UsageError as error:
        assert str(error) == 'b: layer "2.weight" has shape [3 3], expected [2 4]', error


def mixed_with_numpy():
    result, _ = bezoar.aggregate([torch.zeros(3), np.ones(3, "f4"), torch.ones(3)], "median")
    assert torch.is_tensor(result) and result.tolist() == [1, 1, 1]
    result, _ = bezoar.aggregate([np.zeros(3, "f4"), torch.ones(3), torch.ones(3)], "median")
    assert isinstance(result, np.ndarray) and result.tolist() == [1, 1, 1]
    reference = {"w": torch.zeros(3)}
    result, _ = bezoar.aggregate([{"w": np.ones(3, "f4")}] * 3, "median", reference=reference)
    assert torch.is_tensor(result["w"])


def refusals():
    good = torch.zeros(3)
    error = refusal(good, torch.zeros(3, device="meta"), says="is on meta, not in the processor's memory")
    assert error.subject == "c1"
    refusal(good, good, good.to_sparse())
    refusal(torch.zeros(3, dtype=torch.complex64), says="items of type")
    refusal(torch.quantize_per_tensor(good, 0.1, 0, torch.qint8))
    refusal(good, good, torch.zeros(3, dtype=torch.bfloat16), kind=bezoar.UsageError, says="is BF16, expected F32")
    if torch.cuda.is_available():
        refusal(good, good.cuda(), says="is on cuda:0")


def memory():
    updates = [torch.ones(2_000_000) for _ in range(12)] + [torch.ones(4_000_000)[::2] for _ in range(3)]
    bezoar.aggregate([update[:10] for update in updates], "multi-krum", 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result, _ = bezoar.aggregate(updates, "multi-krum", 2)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < result.numel() * 4 // 1024 + 16 * 1024, f"{grown} KB"


CHECKS = [every_type, median_of_torch, same_as_numpy, views, empty, gradients_and_parameters, negated_view, state_dict,
          mixed_with_numpy, refusals, memory]


def main():
    said = {}
    for check in CHECKS:
        try:
            check()
            said[check.__name__] = ""
        except Exception:
            said[check.__name__] = traceback.format_exc()
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
