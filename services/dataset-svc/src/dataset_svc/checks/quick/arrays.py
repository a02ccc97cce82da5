"""Arrow arrays of numpy's and Python's values, made of their bytes: `pyarrow.array` would load pandas where it is
installed, and 45 MB of memory with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = Any
"""An Arrow array: pyarrow has no types of its own."""


def numbers(values: npt.NDArray[np.int32] | npt.NDArray[np.int64]) -> Array:
    """Whole numbers of the same width."""
    kind = pa.int32() if values.dtype.itemsize == 4 else pa.int64()
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def flags(values: npt.NDArray[np.bool_]) -> Array:
    """Truth values."""
    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def texts(values: list[str]) -> Array:
    """Strings."""
    pieces = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, pieces)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(pieces), pa.py_buffer(ends), pa.py_buffer(b"".join(pieces)))


def as_numbers(array: Array) -> npt.NDArray[np.int32]:
    """Arrow's 32-bit whole numbers, without nulls."""
    return np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array)]


def as_flags(array: Array) -> npt.NDArray[np.bool_]:
    """Arrow's truth values, without nulls."""
    bits = np.unpackbits(np.frombuffer(array.buffers()[1], np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(np.bool_)
