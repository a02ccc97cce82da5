"""Finds the formats: every module of this folder that has a `FORMAT`. Adding one is adding a file."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from itertools import islice
from pkgutil import iter_modules

import kargah.formats
from kargah.domain.errors import FieldError, Invalid
from kargah.formats.base import Format, Row

SAMPLE_ROWS = 100


class FormatCollision(Exception):
    """Two files define a format of the same name or rank: a mistake of the programmer, raised at the first use."""


@cache
def formats() -> Mapping[str, Format]:
    """Every format by its name."""
    names = sorted(module.name for module in iter_modules(kargah.formats.__path__))
    modules = [import_module(f"kargah.formats.{name}") for name in names]
    return collect(module.FORMAT for module in modules if hasattr(module, "FORMAT"))


def collect(found: Iterable[Format]) -> dict[str, Format]:
    """Formats by name; raises FormatCollision when two share a name or a rank."""
    known: dict[str, Format] = {}
    for candidate in found:
        if candidate.name in known:
            raise FormatCollision(f"two formats are named {candidate.name!r}")
        if any(candidate.rank == other.rank for other in known.values()):
            raise FormatCollision(f"the rank of {candidate.name!r} is another format's")
        known[candidate.name] = candidate
    return known


def format_named(name: str) -> Format:
    """The format of that name; raises Invalid (field `format`) that tells the known names."""
    known = formats()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "leave it out and it is recognised from the columns"
    message = f"no format is named {name!r}; the formats are {', '.join(sorted(known))}"
    raise Invalid(message, hint, [FieldError("format", message, "unknown_format")])


def detect(rows: Iterable[Row]) -> Format | None:
    """What the first 100 rows are: of the formats that most of them look like, the one of the lowest rank; or None.

    A few rows that lack a column do not make the file one of a plainer format: they are told as faults instead.
    """
    sample = [(frozenset(row), row) for row in islice(rows, SAMPLE_ROWS)]
    known = formats()
    votes = Counter(name for fields, row in sample for name in known if known[name].detect(fields, row))
    most = max(votes.values(), default=0)
    likely = [known[name] for name, count in votes.items() if count * 2 > most]
    return min(likely, key=lambda candidate: candidate.rank, default=None)
