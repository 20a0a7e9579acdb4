"""Trees of arrays: their leaves by name, and what the extension can borrow of each."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping

from . import _core

# ---- trees ----------------------------------------------------------------------------------------------------------


def _is_dict(tree):
    return isinstance(tree, dict) or not hasattr(tree, "__array__") and isinstance(tree, Mapping)


def flatten(tree, prefix, names, leaves):
    """Appends the name and the array of each leaf of a tree; "encoder.weight", "[0][2]"."""
    if isinstance(tree, (list, tuple)):
        for i, value in enumerate(tree):
            flatten(value, f"{prefix}[{i}]", names, leaves)
    elif _is_dict(tree):
        lead = prefix + "." if prefix else ""
        for key, value in tree.items():
            flatten(value, f"{lead}{key}", names, leaves)
    else:
        names.append(prefix)
        leaves.append(tree)


def rebuild(tree, leaves):
    """The containers of `tree` around the next of `leaves` (an iterator)."""
    if _is_dict(tree):
        kind = OrderedDict if isinstance(tree, OrderedDict) else dict
        return kind((key, rebuild(value, leaves)) for key, value in tree.items())
    if isinstance(tree, (list, tuple)):
        values = [rebuild(value, leaves) for value in tree]
        if isinstance(tree, list):
            return values
        return type(tree)._make(values) if hasattr(tree, "_make") else tuple(values)
    return next(leaves)


# ---- leaves: what the extension can borrow --------------------------------------------------------------------------

_HOST = {1, 3, 11}  # DLPack: plain memory, and that of CUDA and ROCm which the processor sees
_NUMPY = {"F16": "f2", "F32": "f4", "F64": "f8", "BOOL": "?", **{f"{kind}{8 * size}": f"{kind.lower()}{size}"
          for kind in "IU" for size in (1, 2, 4, 8)}}


def _is_tensor(leaf):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(leaf, torch.Tensor)


def _borrow(leaf, client, name):
    """Something that the extension reads: an object with a buffer, a DLPack capsule, or a pair of one of these and the
    type its items are to be taken for. Plain arrays never get here."""
    np = sys.modules.get("numpy")
    if np is not None and isinstance(leaf, (np.ndarray, np.generic)):
        if isinstance(leaf, np.ma.MaskedArray):
            _core.fail(_core.UnsupportedError, client, f'layer "{name}" is a masked array; fill it or leave it out')
        if leaf.dtype.name == "bfloat16":  # of ml_dtypes, which has no buffer format
            return np.asarray(leaf).view(np.uint16), "BF16"
        return leaf
    if not hasattr(leaf, "__dlpack__"):
        return leaf
    try:
        return _tensor(leaf) if _is_tensor(leaf) else _foreign(leaf)
    except (_core.Error, MemoryError):
        raise
    except Exception as error:
        _core.fail(_core.UnsupportedError, client, f'layer "{name}" cannot be read: {error}')


def _on_host(device):
    if device not in _HOST:
        raise BufferError(f"it is not in the processor's memory (DLPack device {device}); move it there first")


def _tensor(leaf):
    torch = sys.modules["torch"]
    if not leaf.is_cpu:
        raise BufferError(f"it is on {leaf.device}, not in the processor's memory; move it there first (.cpu())")
    if leaf.requires_grad:
        leaf = leaf.detach()
    if leaf.is_neg():
        leaf = leaf.resolve_neg()  # its sign is a flag: the memory holds other numbers
    if leaf.dtype == torch.bool:
        return leaf.view(torch.uint8).__dlpack__(), "BOOL"
    return leaf.__dlpack__()


def _foreign(leaf):
    _on_host(int(leaf.__dlpack_device__()[0]))
    try:
        return leaf.__dlpack__(max_version=(1, 0))
    except TypeError:  # of before DLPack 1.0
        return leaf.__dlpack__()


def read(tree, client, examples=0.0):
    """What the extension takes for an update, and the leaves themselves."""
    import numpy as np

    names, leaves, plain = [], [], np.ndarray
    flatten(tree, "", names, leaves)
    borrowed = [leaf if type(leaf) is plain and leaf.dtype.kind != "V" else _borrow(leaf, client, name)
                for name, leaf in zip(names, leaves)]
    return (client, examples, names, borrowed), leaves


def allocate(like, dtype, shape):
    """An array or tensor as `like`, in C order; its numbers are still to come."""
    import numpy as np

    if _is_tensor(like):
        import torch

        return torch.empty(shape, dtype=like.dtype)
    if dtype == "BF16":
        import ml_dtypes

        return np.empty(shape, dtype=ml_dtypes.bfloat16)
    return np.empty(shape, dtype=_NUMPY[dtype])
