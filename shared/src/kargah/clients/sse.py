"""Server-Sent Events: parse a stream of lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: `id` to continue after, None for events that are not replayed; `data` decoded from JSON."""

    id: str | None
    event: str
    data: Any


def parse(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Events out of the lines of a `text/event-stream`; comments (keep-alives) are passed over."""
    fields: dict[str, str] = {}
    for line in lines:
        if line == "":
            if "data" in fields:
                yield ServerEvent(fields.get("id"), fields.get("event", "message"), json.loads(fields["data"]))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields['data']}\n{value}" if name == "data" and "data" in fields else value
