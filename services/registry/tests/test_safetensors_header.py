"""Headers of safetensors: sound ones are counted, anything else is refused with the reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save

from registry.models.safetensors_header import BadHeader, Header, header_length, parse_header


def read(data: bytes) -> Header:
    length = header_length(data[:8], len(data))
    return parse_header(data[8 : 8 + length], len(data))


def made(entries: object, data_bytes: int) -> bytes:
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + b"\0" * data_bytes


def tensor(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_elements_are_counted() -> None:
    data = save(
        {"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float16), "empty": np.zeros(0, np.int64)},
        metadata={"format": "pt"},
    )
    assert read(data) == Header(tensors=3, parameters=17)


def test_packed_types_are_counted_by_elements() -> None:
    assert read(made({"a": tensor("F4", [2, 3], 0, 3)}, 3)).parameters == 6


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "shorter"),
        (b"\x80\x02}q\x00X\x05\x00\x00\x00", "bytes long"),
        ((1 << 40).to_bytes(8, "little") + b"{}", "bytes long"),
        (made([], 0), "no JSON object"),
        ((3).to_bytes(8, "little") + b"{{{", "not JSON"),
        (made({"a": 5}, 0), "no description"),
        (made({"a": tensor("F32", [1], 0, 4)}, 3), "take 4 bytes"),
        (made({"a": tensor("F32", [1], 0, 4)}, 5), "take 4 bytes"),
        (made({"a": tensor("F32", [2], 0, 4)}, 4), "shape says"),
        (made({"a": tensor("F32", [-1], 0, 4)}, 4), "bad dtype"),
        (made({"a": tensor("F32", [True], 0, 4)}, 4), "bad dtype"),
        (made({"a": tensor("OBJ", [1], 0, 4)}, 4), "bad dtype"),
        (made({"a": tensor("F32", [1 << 47] * 300_000, 0, 4)}, 4), "bad dtype"),
        (made({"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 2, 6)}, 6), "begins at"),
        (made({"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 8, 12)}, 12), "begins at"),
    ],
)
def test_anything_else_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadHeader, match=reason):
        read(data)


def test_a_header_of_brackets_does_not_exhaust_the_stack() -> None:
    header = b"[" * 200_000
    with pytest.raises(BadHeader, match="not JSON"):
        read(len(header).to_bytes(8, "little") + header)
