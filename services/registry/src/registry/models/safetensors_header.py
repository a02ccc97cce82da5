"""What the beginning of a safetensors file tells: tensors, their types and places. Nothing is loaded."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LENGTH_BYTES = 8
MAX_HEADER_BYTES = 32 << 20
_MOST_DIMENSIONS = 64
"""No library makes more; the product of a million sizes would take hours."""
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16,
    "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class BadHeader(Exception):
    """It is no safetensors file, or a damaged one."""


@dataclass(frozen=True, slots=True)
class Header:
    """`parameters` counts the elements of all tensors."""

    tensors: int
    parameters: int


def header_length(start: bytes, file_bytes: int) -> int:
    """The length of the JSON header that follows the first 8 bytes. Raises BadHeader."""
    if len(start) < LENGTH_BYTES:
        raise BadHeader("it is shorter than 8 bytes")
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if length > MAX_HEADER_BYTES or length > file_bytes - LENGTH_BYTES:
        raise BadHeader(f"its header would be {length} bytes long")
    return length


def parse_header(header: bytes, file_bytes: int) -> Header:
    """Check that the tensors fill the file without gap or overlap. Raises BadHeader."""
    tensors = sorted(_tensors(header), key=lambda tensor: (tensor.begin, tensor.end))
    if not tensors:
        raise BadHeader("it holds no tensors")
    place = 0
    for tensor in tensors:
        if tensor.begin != place:
            raise BadHeader(f"the tensor {tensor.name[:100]!r} begins at byte {tensor.begin}, not at {place}")
        place = tensor.end
    data_bytes = file_bytes - LENGTH_BYTES - len(header)
    if place != data_bytes:
        raise BadHeader(f"its tensors take {place} bytes, and it has {data_bytes}")
    return Header(len(tensors), sum(tensor.elements for tensor in tensors))


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    elements: int
    begin: int
    end: int


def _tensors(header: bytes) -> Iterator[_Tensor]:
    try:
        entries = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise BadHeader("its header is not JSON") from error
    if not isinstance(entries, dict):
        raise BadHeader("its header is no JSON object")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise BadHeader("its metadata is not texts by name")
    for name, entry in entries.items():
        yield _tensor(name, entry)


def _tensor(name: str, entry: Any) -> _Tensor:
    if not isinstance(entry, dict):
        raise BadHeader(f"the tensor {name[:100]!r} has no description")
    shape, offsets = _counts(entry.get("shape")), _counts(entry.get("data_offsets"))
    bits = _BITS.get(str(entry.get("dtype")))
    if bits is None or shape is None or offsets is None or len(offsets) != 2 or len(shape) > _MOST_DIMENSIONS:
        raise BadHeader(f"the tensor {name[:100]!r} has a bad dtype, shape or place")
    elements = math.prod(shape)
    if offsets[1] - offsets[0] != (elements * bits + 7) // 8:
        raise BadHeader(f"the tensor {name[:100]!r} is not as long as its shape says")
    return _Tensor(name, elements, offsets[0], offsets[1])


def _counts(value: Any) -> list[int] | None:
    """`value` if it is a list of sizes."""
    if isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 48 for item in value):
        return value
    return None
