"""The loops that the checks of JSON lines spend their time in, in C: several times as fast as by numpy, and meanwhile
other threads go on.

They are compiled when the service is installed, where there is a C compiler (`hatch_build.py`). Where there was none
`PRESENT` is false, and those who would call them do the same by numpy: in every result, which tests compare.
Each function raises IndexError for a place outside of it.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dataset_svc.checks.arrays import Digests, Flags, Numbers, Places

KINDS = 7
"""How many numbers `kinds` counts."""
_FILE = Path(__file__).with_name("kernels.so")
_NUMBER, _ARRAY, _BYTE = ctypes.c_int64, ctypes.c_void_p, ctypes.c_uint8
_DATA = (_ARRAY, _NUMBER)
_PIECES = (*_DATA, _ARRAY, _ARRAY, _NUMBER)
_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "count": (*_DATA, _BYTE),
    "has_control": _DATA,
    "find": (*_DATA, _BYTE, _ARRAY, _NUMBER),
    "is_utf8": _DATA,
    "characters": (*_PIECES, _ARRAY),
    "stands_at": (*_DATA, _ARRAY, _NUMBER, *_DATA, _ARRAY),
    "digests": (*_PIECES, _ARRAY, _ARRAY),
    "put": (_ARRAY, _ARRAY, ctypes.c_uint64, _NUMBER, _NUMBER, _ARRAY, _ARRAY, _NUMBER, _ARRAY),
    "begin_with": (*_PIECES, _ARRAY, _ARRAY),
    "kinds": (*_PIECES, _ARRAY, _ARRAY, _NUMBER, _NUMBER, _ARRAY, _ARRAY, _ARRAY),
}


def _loaded() -> dict[str, Any]:
    """The functions; none where they were not compiled, or for another machine, or from other source than this."""
    try:
        library = ctypes.CDLL(str(_FILE))
        functions = {name: library[f"kargah_{name}"] for name in _ARGUMENTS}
    except (OSError, AttributeError):
        return {}
    for name, function in functions.items():
        function.argtypes, function.restype = _ARGUMENTS[name], _NUMBER
    return functions


_CALLED = _loaded()
PRESENT = bool(_CALLED)


def count(data: bytes, byte: int) -> int:
    """How many bytes are this one."""
    return int(_CALLED["count"](data, len(data), byte))


def places_of(data: bytes, byte: int) -> Places:
    """Where this byte stands."""
    for room in (len(data) // 8 + 1, len(data) + 1):  # memory that is not written to costs nothing
        found = np.empty(room, np.int64)
        number = _CALLED["find"](data, len(data), byte, *_of(found))
        if number < room:
            break
    return found[:number]


def has_control(data: bytes) -> bool:
    """Whether there are control characters of ASCII other than newlines."""
    return bool(_CALLED["has_control"](data, len(data)))


def is_utf8(data: bytes) -> bool:
    """Whether all of it is."""
    return bool(_CALLED["is_utf8"](data, len(data)))


def characters(data: bytes, begins: Places, ends: Places) -> Numbers:
    """How many characters begin in each piece."""
    found = np.empty(len(begins), np.int64)
    begins, ends = _plain(begins), _plain(ends)
    _checked(_CALLED["characters"](data, len(data), _at(begins), *_of(ends), _at(found)))
    return found


def stands_at(data: bytes, places: Places, text: bytes) -> Flags:
    """At which of the places the text stands."""
    found, places = np.empty(len(places), np.bool_), _plain(places)
    _checked(_CALLED["stands_at"](data, len(data), *_of(places), text, len(text), _at(found)))
    return found


def digests(data: bytes, begins: Places, ends: Places, keys: Digests) -> Digests:
    """Of each piece 64 bits that hang on three keys."""
    found = np.empty(len(begins), np.uint64)
    begins, ends = _plain(begins), _plain(ends)
    _checked(_CALLED["digests"](data, len(data), _at(begins), *_of(ends), _at(keys), _at(found)))
    return found


def begin_with(data: bytes, begins: Places, ends: Places, pairs: Flags) -> Flags:
    """Which pieces begin with two bytes that are true in `pairs`, by the first times 256 and the second."""
    found = np.empty(len(begins), np.bool_)
    begins, ends = _plain(begins), _plain(ends)
    _checked(_CALLED["begin_with"](data, len(data), _at(begins), *_of(ends), _at(pairs), _at(found)))
    return found


def put(
    table: Digests, kept: Digests | None, count: int, limit: int, keys: Digests, values: Digests | None
) -> tuple[int, Digests]:
    """Put keys into a table with room for twice as many, while fewer than `limit` are there. How many there are now;
    and for each key what was `kept` with it before (without that: 1), 0 where it was not there."""
    earlier, keys = np.empty(len(keys), np.uint64), _plain(keys)
    given = None if values is None else _plain(values)
    count = _CALLED["put"](
        _at(table),
        None if kept is None else _at(kept),
        len(table) - 1,
        count,
        limit,
        _at(keys),
        None if given is None else _at(given),
        *(len(keys), _at(earlier)),
    )
    return count, earlier


def kinds(
    data: bytes, pieces: tuple[Places, Places], rows: tuple[Places, Places], most: int, table: Digests, shifts: Digests
) -> Numbers:
    """What the first `most` characters of each row count for, (rows, KINDS). A row is of the pieces from its first to
    its last; what a byte counts for stands in `table`, by itself and the one behind it, packed at the `shifts`."""
    (begins, ends), (firsts, lasts) = map(_plain, pieces), map(_plain, rows)
    found = np.zeros((len(firsts), KINDS), np.int64)
    _checked(
        _CALLED["kinds"](
            *(data, len(data), _at(begins), *_of(ends), _at(firsts), *_of(lasts)),
            *(most, _at(table), _at(shifts), _at(found)),
        )
    )
    return found


def _of(array: npt.NDArray[Any]) -> tuple[int, int]:
    return _at(array), len(array)


def _at(array: npt.NDArray[Any]) -> int:
    """Its address, in half of the time that `array.ctypes` takes."""
    address: int = array.__array_interface__["data"][0]
    return address


def _plain(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One number behind the other."""
    return np.ascontiguousarray(array)


def _checked(result: int) -> None:
    if result:
        raise IndexError("a piece lies outside of its bytes")
