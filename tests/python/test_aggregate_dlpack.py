"""bezoar.aggregate reads DLPack capsules by their own words: made here with ctypes, well-formed ones and others."""
import ctypes as c

import numpy as np
import pytest

import bezoar

CPU, CUDA, CUDA_HOST = 1, 2, 3
INT, UINT, FLOAT, BFLOAT, COMPLEX, BOOL = 0, 1, 2, 4, 5, 6


class Tensor(c.Structure):
    _fields_ = [("data", c.c_void_p), ("device_type", c.c_int32), ("device_id", c.c_int32), ("ndim", c.c_int32),
                ("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16), ("shape", c.POINTER(c.c_int64)),
                ("strides", c.POINTER(c.c_int64)), ("byte_offset", c.c_uint64)]


class Managed(c.Structure):
    _fields_ = [("tensor", Tensor), ("owner", c.c_void_p), ("deleter", c.c_void_p)]


class Versioned(c.Structure):
    _fields_ = [("major", c.c_uint32), ("minor", c.c_uint32), ("owner", c.c_void_p), ("deleter", c.c_void_p),
                ("flags", c.c_uint64), ("tensor", Tensor)]


NAMES = {None: b"dltensor", 1: b"dltensor_versioned", 2: b"dltensor_versioned"}
new_capsule = c.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = c.py_object, [c.c_void_p, c.c_char_p, c.c_void_p]


class Made:
    """An exporter whose capsule says what it is told to."""

    def __init__(self, values, shape=None, strides=None, *, says=CPU, device=CPU, code=FLOAT, bits=None, lanes=1, ndim=None,
                 offset=0, major=None, null=False):
        self.values, self.says = values, says
        shape = values.shape if shape is None else shape
        self.shape = (c.c_int64 * max(len(shape), 1))(*shape)
        self.strides = None if strides is None else (c.c_int64 * max(len(strides), 1))(*strides)
        tensor = Tensor(None if null else values.ctypes.data, device, 0, len(shape) if ndim is None else ndim, code,
                        8 * values.itemsize if bits is None else bits, lanes, self.shape,
                        c.cast(self.strides, c.POINTER(c.c_int64)) if self.strides else None, offset)
        self.managed = Managed(tensor) if major is None else Versioned(major, 0, None, None, 0, tensor)
        self.name = NAMES[major]

    def __dlpack_device__(self):
        return self.says, 0

    def __dlpack__(self, **options):
        return new_capsule(c.addressof(self.managed), self.name, None)


def median(*leaves):
    return bezoar.aggregate([{"w": leaf} for leaf in leaves], "median", clients=[f"c{i}" for i in range(len(leaves))])[0]["w"]


@pytest.mark.parametrize("major", [None, 1])
def test_well_formed(major):
    base = np.arange(24, dtype="f4").reshape(4, 6)
    assert np.array_equal(median(*[Made(base, major=major)] * 3), base)  # no strides: C order
    assert np.array_equal(median(*[Made(base, (6, 4), (1, 6), major=major)] * 3), base.T)
    assert np.array_equal(median(*[Made(base, (3, 6), (6, 1), offset=24, major=major)] * 3), base[1:])
    assert np.array_equal(median(*[Made(base, (5,), (-2,), offset=4 * 20, major=major)] * 3), base.ravel()[20:10:-2])
    assert np.array_equal(median(*[Made(base, (2, 3), (0, 1), device=CUDA_HOST, major=major)] * 3), [[0, 1, 2]] * 2)
    assert median(*[Made(base, (), major=major)] * 3) == 0
    assert median(*[Made(base, (0, 3), null=True, major=major)] * 3).shape == (0, 3)
    assert median(*[Made(np.ones(3, "u1"), code=BOOL, major=major)] * 3).dtype == bool
    assert median(*[Made(np.ones(3, "i2"), code=INT, major=major)] * 3).dtype == np.int16
    assert median(*[Made(np.ones(3, "u8"), code=UINT, major=major)] * 3).dtype == np.uint64


REFUSED = {
    "on a card, as the tensor says": dict(device=CUDA),
    "on a card, as the exporter says": dict(says=CUDA, device=CUDA),
    "complex": dict(code=COMPLEX),
    "float of 16 bytes": dict(bits=128),
    "half a byte": dict(code=INT, bits=4),
    "no bits": dict(bits=0),
    "lanes": dict(lanes=4),
    "unknown code": dict(code=17),
    "too many dimensions": dict(ndim=65),
    "negative dimensions": dict(ndim=-1),
    "negative shape": dict(shape=(-3,)),
    "more than there can be": dict(shape=(2**62, 2**62), strides=(0, 0)),
    "not aligned": dict(offset=1),
    "no data": dict(null=True),
    "of a later DLPack": dict(major=2),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_refused(kind):
    good, base = np.zeros(8, "f4"), np.zeros(8, "f4")
    with pytest.raises(bezoar.Error) as raised:
        median(good, Made(base, **REFUSED[kind]), good)
    assert str(raised.value).startswith('c1: layer "w" '), raised.value
    assert raised.value.code in ("not supported", "limit exceeded", "usage error")


def test_exporters_that_fail():
    class Failing(Made):
        def __dlpack__(self, **options):
            raise RuntimeError("the tensor is gone")

    class Lying(Made):
        def __dlpack__(self, **options):
            return "no capsule"

    class Used(Made):
        def __dlpack__(self, **options):
            return new_capsule(c.addressof(self.managed), b"used_dltensor", None)

    base = np.zeros(8, "f4")
    with pytest.raises(bezoar.UnsupportedError, match='c1: layer "w" cannot be read: the tensor is gone'):
        median(base, Failing(base), base)
    with pytest.raises(bezoar.UsageError, match='c1: layer "w" is of type str'):
        median(base, Lying(base), base)
    with pytest.raises(bezoar.UsageError, match='c1: layer "w" is of type PyCapsule'):
        median(base, Used(base), base)
