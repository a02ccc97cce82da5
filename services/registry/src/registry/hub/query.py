"""Queries as the Hub's clients send them: lists, booleans in several spellings, and members that mean nothing here."""

from __future__ import annotations

from flask import request

from kargah.domain.errors import FieldError, Invalid
from kargah.web.strict_json import unstorable_fields
from registry.hub.listing import ListFilter

_TRUE = frozenset({"1", "true", "yes"})
_LARGEST = (1 << 31) - 1
_LONGEST = 300


def flag(name: str) -> bool:
    """`?full=True` and the like."""
    return request.args.get(name, "").lower() in _TRUE


def number(name: str, default: int, *, most: int) -> int:
    """A count between 1 and `most`; a larger one counts as `most`. Raises Invalid for no number."""
    return max(1, min(_digits(name, default), most))


def offset() -> int:
    """Where a page begins: the cursor that an earlier page gave."""
    return _digits("cursor", 0)


def list_filter() -> ListFilter:
    """What `?search=&author=&filter=&pipeline_tag=&sort=&full=` ask for. Raises Invalid for odd text."""
    tags = [*request.args.getlist("filter"), *request.args.getlist("pipeline_tag")]
    search, author = request.args.get("search"), request.args.get("author")
    for name, text in [("search", search), ("author", author), *(("filter", tag) for tag in tags)]:
        if text is not None and (len(text) > _LONGEST or unstorable_fields(text)):
            raise _bad(name, f"At most {_LONGEST} characters, and no NUL.")
    order = "modified" if request.args.get("sort") == "lastModified" else "created"
    full = flag("full") or "siblings" in request.args.getlist("expand")
    return ListFilter(search or None, author or None, tags, order, full)


def _digits(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 11):
        raise _bad(name, "Must be a whole number.")
    return min(int(text), _LARGEST)


def _bad(name: str, message: str) -> Invalid:
    return Invalid("The query is not acceptable.", errors=[FieldError(name, message)])
