"""In which parts the store copies a large object."""

from __future__ import annotations

import pytest

from kargah.adapters.minio_multipart import copied_parts
from kargah.adapters.minio_store import MinioStore

HALF_GIB = 512 << 20
MOST_PARTS = 10_000
LARGEST_OBJECT = 5 << 40


@pytest.mark.parametrize(
    ("size", "expected"),
    [(9, [(0, 4), (4, 4), (8, 1)]), (8, [(0, 4), (4, 4)]), (5, [(0, 4), (4, 1)]), (4, [(0, 4)])],
)
def test_parts_follow_each_other_to_the_end(size: int, expected: list[tuple[int, int]]) -> None:
    assert list(copied_parts(size, 4)) == expected


@pytest.mark.parametrize("size", [HALF_GIB + 1, 10 * HALF_GIB, 10 * HALF_GIB + 1, MOST_PARTS * HALF_GIB])
def test_large_objects_are_copied_half_a_gibibyte_at_once(size: int) -> None:
    parts = list(copied_parts(size, MinioStore.copied_at_once))
    assert sum(length for _, length in parts) == size
    assert {length for _, length in parts[:-1]} == {HALF_GIB}


def test_the_largest_object_has_no_more_parts_than_a_store_takes() -> None:
    parts = list(copied_parts(LARGEST_OBJECT, MinioStore.copied_at_once))
    assert sum(length for _, length in parts) == LARGEST_OBJECT
    assert len(parts) <= MOST_PARTS
