"""How the C library deals with memory that is freed and wanted again a millisecond later."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_IN_HEAP = 32 << 20
_KEPT = 2**31 - 1


def keep_freed_memory() -> None:
    """Keep freed memory in the process: a step's tensors would else be faulted in page by page, zeroed, every time.

    Nothing happens where the C library has no such setting.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_IN_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)
