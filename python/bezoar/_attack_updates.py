"""Attacks on model updates: what attackers would send who see the updates of all honest clients."""

from __future__ import annotations

from . import _core
from ._aggregate import _whole
from ._trees import _is_tensor, flatten, rebuild


def attack_updates(honest, attack, n_malicious, *, seed=0, **parameters):
    """The updates of `n_malicious` attackers: a list of trees like the honest ones.

    honest    the updates of the honest clients, changes to the global model: arrays, tensors, or dicts, lists and tuples
              of them, all alike; or one 2-D array (clients, numbers), which gives a 2-D array
    attack    a name of kind "update" of `list_attacks`, which tells its `parameters` (``tau=1.0``, ``deviation="unit"``)
    seed      of attacks that draw; the first updates are the same for any `n_malicious`

    Attacks are worked out in double precision over all numbers of an update together, and then cast to each leaf's type:
    finite numbers that it cannot hold become its largest, integers are rounded and bounded.
    """
    import numpy as np

    count = _whole(n_malicious, "n_malicious", 2**32 - 1)
    if isinstance(honest, np.ndarray) and honest.ndim == 2:
        crafted = _craft(np.ascontiguousarray(honest, dtype=np.float64), attack, count, seed, parameters)
        return _cast(crafted, honest)
    honest = list(honest)
    if not honest:
        _core.fail(_core.UsageError, "honest", "there are no honest updates")
    layouts = [_layout(tree) for tree in honest]
    first = layouts[0]
    matrix = np.empty((len(honest), sum(_size(leaf) for leaf in first.values())))
    for i, (row, layers) in enumerate(zip(matrix, layouts)):
        _fill(row, layers, first, i)
    crafted = _craft(matrix, attack, count, seed, parameters)
    return [rebuild(honest[0], iter(_leaves(row, first.values()))) for row in crafted]


def _craft(matrix, attack, count, seed, parameters):
    import numpy as np

    settings = [f"{name.replace('_', '-')}={value if isinstance(value, str) else format(value, '.17g')}"
                for name, value in parameters.items()]
    crafted = np.empty((count, matrix.shape[1]))
    _core.attack_updates(matrix, crafted, *matrix.shape, count, attack, settings, _whole(seed, "seed", 2**64 - 1))
    return crafted


# ---- trees to rows of a matrix and back -------------------------------------------------------------------------------


def _layout(tree):
    names, leaves = [], []
    flatten(tree, "", names, leaves)
    return dict(zip(names, leaves))


def _size(leaf):
    return _numbers(leaf).size


def _numbers(leaf):
    """A leaf as an array that NumPy can turn into doubles."""
    import numpy as np

    if _is_tensor(leaf):
        import torch

        return leaf.detach().cpu().to(torch.float64).numpy()
    return np.asarray(leaf) if hasattr(leaf, "__array__") or not hasattr(leaf, "__dlpack__") else np.from_dlpack(leaf)


def _fill(row, layers, first, index):
    if layers.keys() != first.keys():
        odd = sorted(layers.keys() ^ first.keys())[0]
        _core.fail(_core.UsageError, f"honest update {index}", f'layer "{odd}" is not in all of them')
    start = 0
    for name, like in first.items():
        values, shape = _numbers(layers[name]), _numbers(like).shape
        if values.shape != shape:
            _core.fail(_core.UsageError, f"honest update {index}",
                       f'layer "{name}" has the shape {values.shape}, not {shape}')
        row[start : start + values.size] = values.reshape(-1)
        start += values.size


def _leaves(row, like):
    start = 0
    for leaf in like:
        size = _size(leaf)
        yield _cast(row[start : start + size].reshape(_numbers(leaf).shape), leaf)
        start += size


def _cast(values, like):
    """Doubles as a new array or tensor of the type of `like`."""
    import numpy as np

    if _is_tensor(like):
        import torch

        floating = like.dtype.is_floating_point
        if like.dtype == torch.bool:
            low, high = 0, 1
        else:
            info = (torch.finfo if floating else torch.iinfo)(like.dtype)
            low, high = info.min, info.max
        bounded = _bound(values, low, high, floating)
        return torch.from_numpy(bounded).to(device=like.device, dtype=like.dtype)
    dtype = np.asarray(like).dtype
    if dtype.kind in "iub":
        low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        return _bound(values, low, high, False).astype(dtype)
    if dtype.name == "bfloat16":
        import ml_dtypes

        info = ml_dtypes.finfo(dtype)
    else:
        info = np.finfo(dtype)
    return _bound(values, float(info.min), float(info.max), True).astype(dtype)


def _bound(values, low, high, floating):
    """A copy within the bounds; NaN and infinity stay as they are where the type has them."""
    import numpy as np

    if floating:
        return np.where(np.isfinite(values), np.clip(values, low, high), values)
    top = float(high)
    if top > high:  # as 2^63 is, the double that is nearest to the largest int64
        top = np.nextafter(top, 0)
    return np.rint(np.clip(np.nan_to_num(values, nan=0.0, posinf=top, neginf=low), low, top))
