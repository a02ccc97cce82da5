"""Numbers and durations as people read them, settings as people write them."""

from __future__ import annotations

import json
import re
from typing import Any

import typer
from rich.text import Text

# What a terminal obeys, turns the writing direction by, or shows nothing for; both joiners shape words and emoji.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001\ud800-\udfff]+"
)
_SIZE = re.compile(r"(?P<number>[0-9]{1,15}(\.[0-9]{1,6})?) ?(?P<unit>([kKMGT]i?)?B?)")


def size(count: int) -> str:
    """Bytes with a decimal unit: `93.1 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def bytes_of(text: str) -> int:
    """`500MB`, `1.5 TB`, `2GiB` or a plain number, in bytes. Raises BadParameter."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no size: write 500MB, 1.5TB or a number of bytes")
    unit = found["unit"].upper()
    base = 1024 if unit.endswith("IB") else 1000
    return round(float(found["number"]) * float(base) ** "BKMGT".index(unit[:1] or "B"))


def duration(seconds: float | None) -> str:
    """`1:02:03`, `2:03`, or `-` when it is not known."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def figure(value: float | None, digits: int = 4) -> str:
    """A number with `digits` decimals, or `-`."""
    return "-" if value is None else f"{value:.{digits}f}"


def visible(text: str) -> str:
    """With the control characters named: a terminal would obey some of them, and show none."""
    return _UNSEEN.sub(lambda run: "".join(f"⟨{ord(character):04X}⟩" for character in run[0]), text)


def row_value(value: Any) -> str:
    """A text as it is, the turns of a conversation one below the other, anything else as JSON."""
    if isinstance(value, str):
        return value
    turns = [_turn(item) for item in value] if isinstance(value, list) and value else [None]
    if all(turn is not None for turn in turns):
        return "".join(f"\n  {turn}" for turn in turns)
    return json.dumps(value, ensure_ascii=False)


def _turn(item: Any) -> str | None:
    """`user: text` for a turn that holds no more than who says what."""
    if isinstance(item, dict):
        for who, what in (("role", "content"), ("from", "value")):
            if item.keys() == {who, what} and isinstance(item[what], str):
                return f"{item[who]}: {item[what]}"
    return None


def sentences(*parts: str | None) -> str:
    """What there is of them, one after the other, each with its full stop and all but the first with a capital."""
    ended = [part if part.endswith((".", "!", "?", ":", "؟")) else f"{part}." for part in parts if part]
    return " ".join([*ended[:1], *(part[:1].upper() + part[1:] for part in ended[1:])])


def one_line(text: str) -> Text:
    """A cell that ends in … where its column is narrower: a column that may not wrap is cut without a sign."""
    return Text(text, no_wrap=True, overflow="ellipsis")


def setting(entry: str) -> tuple[str, Any]:
    """`lora_r=16` with the value read as JSON, or taken as text where it is none. Raises BadParameter."""
    key, separator, value = entry.partition("=")
    if not (key and separator):
        raise typer.BadParameter(f"{entry!r} is not name=value", param_hint="--set")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
