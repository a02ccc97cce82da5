"""What becomes of memory that is free again: the C library keeps some for each thread, Arrow some for each pool."""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of malloc.h
_KEPT, _MAPPED = 4 << 20, 2 << 20  # bytes
_LIBC = ctypes.CDLL(None)


def share_one_heap() -> None:
    """All threads take memory from one heap; call it before there are any. Without it each block of rows leaves its
    traces in the heaps of whichever threads looked at it: 10 MB, and more with more cores. What a block gives back is
    kept for the next one, or the system would clear the same pages again and again, which takes as long as an eighth
    of the checks; `give_back` ends that. The C libraries that know no such setting go on as they are."""
    if hasattr(_LIBC, "mallopt"):
        _LIBC.mallopt(_ARENA_MAX, 1)
        _LIBC.mallopt(_MMAP_THRESHOLD, _MAPPED)
        _LIBC.mallopt(_TRIM_THRESHOLD, _KEPT)


@cache
def keep_arrow_to_it() -> None:
    """Arrow takes its memory from the same heap; call it where Arrow is brought in, which takes 40 MB by itself."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())


def give_back() -> None:
    """Hand what is free to the system, after work that took much."""
    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
