"""Bytes are told to be UTF-8 exactly where the interpreter can decode them."""

from __future__ import annotations

import random
from itertools import product

import pytest

from dataset_svc import kernels
from dataset_svc.checks.pieces import Stretch
from dataset_svc.checks.quick import encoding
from dataset_svc.checks.quick.encoding import is_utf8

EDGES = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF)
LEADS = (0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF)


@pytest.fixture(autouse=True, params=["kernels", "numpy"])
def whichever_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "PRESENT", kernels.PRESENT and request.param == "kernels")


def decodes(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("behind", [b"", b"}"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_order_of_the_bytes_that_matter(count: int, behind: bytes) -> None:
    for some in product((*EDGES, *LEADS), repeat=count):
        data = b'{"' + bytes(some) + behind
        assert is_utf8(Stretch(data)) == decodes(data), data


@pytest.mark.parametrize("lead", [0xF0, 0xF1, 0xF4])
def test_every_order_behind_a_byte_that_begins_four(lead: int) -> None:
    for some in product(EDGES, repeat=3):
        data = b'{"' + bytes((lead, *some)) + b"}"
        assert is_utf8(Stretch(data)) == decodes(data), data


def test_a_stretch_is_looked_at_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_TOGETHER", 7)
    chance = random.Random(4)
    met = set()
    for _ in range(400):
        data = bytearray(b"{ " + "".join(chance.choices("aسی\u200c漢😀", k=chance.randint(4, 12))).encode())
        if chance.random() < 0.6:
            data[chance.randrange(2, len(data))] = chance.choice((*EDGES, *LEADS))
        met.add(is_utf8(Stretch(bytes(data))))
        assert is_utf8(Stretch(bytes(data))) == decodes(bytes(data)), data
    assert met == {True, False}


def test_what_does_not_begin_with_ascii_is_told_by_the_kernel_alone() -> None:
    assert is_utf8(Stretch("سلام".encode())) == kernels.PRESENT
