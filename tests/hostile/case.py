"""One hostile upload, and what may come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["refused", "accepted", "either"]


@dataclass(frozen=True)
class Hostile:
    """A file under a name. `either`: taking it is right as well, failing is not."""

    name: str
    data: bytes
    filename: str = "x.jsonl"
    dataset: str = "hostile"
    query: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = "refused"


def row(**members: Any) -> bytes:
    """A row as JSON text."""
    return json.dumps(members, ensure_ascii=False).encode()


GOOD = row(question="پایتخت ایران؟", answer="تهران")
OTHER = row(question="کوه ایران؟", answer="دماوند")
JSONL = GOOD + b"\n" + OTHER + b"\n"
ARRAY = b"[" + GOOD + b",\n" + OTHER + b"]"
TABLE = "question,answer\nپایتخت ایران؟,تهران\nکوه ایران؟,دماوند\n".encode()
TEXT = "روزی بود\nروزگاری بود\n".encode()
KINDS = {"x.jsonl": JSONL, "x.json": ARRAY, "x.csv": TABLE, "x.txt": TEXT}


def jsonl(name: str, *lines: bytes, **more: Any) -> Hostile:
    """A good line, then these."""
    return Hostile(f"jsonl: {name}", b"\n".join([GOOD, *lines]) + b"\n", **more)


def array(name: str, *elements: bytes, **more: Any) -> Hostile:
    """The same as elements of an array."""
    return Hostile(f"json: {name}", b"[" + b",\n".join([GOOD, *elements]) + b"]", "x.json", **more)
