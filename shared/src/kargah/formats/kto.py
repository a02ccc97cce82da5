"""`kto`: a prompt, one answer, and whether it is a good one."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Example, Exchange, Format, NotTrained, Row, RowError
from kargah.formats.columns import Column, kind_of, missing
from kargah.formats.said import said, said_problems, said_text

_PROMPT = Column("prompt", ("ورودی",))
_COMPLETION = Column("completion", ("response", "خروجی"))
_LABEL = Column("label", ("desirable", "برچسب", "پسندیده"))
_VERDICTS: dict[str, bool] = {"true": True, "false": False, "1": True, "0": False, "درست": True, "نادرست": False}


class Kto:
    """`{"prompt": "...", "completion": "...", "label": true}`; prompt and completion are texts or messages.

    A label is a boolean, or what a table writes for one: true, false, 1, 0.
    """

    name = "kto"
    title = "Answers judged good or bad"
    fields = ("prompt", "completion", "label")
    rank = 60
    trained = False

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A prompt, a completion and a label that is a verdict."""
        key = _LABEL.key(row)
        return key is not None and _verdict(row[key]) is not None and _PROMPT.present(row) and _COMPLETION.present(row)

    def validate(self, row: Row) -> list[RowError]:
        """Both must say something, and the label be a verdict."""
        return [*said_problems(row, _PROMPT), *said_problems(row, _COMPLETION), *_label_problems(row)]

    def to_example(self, row: Row) -> Example:
        """Raises NotTrained."""
        raise NotTrained(self.name)

    def exchange(self, row: Row) -> Exchange:
        """Prompt and completion, on whose label two rows should agree."""
        completion = said_text(said(row, _COMPLETION))
        verdict = str(_verdict(said(row, _LABEL)))
        return Exchange(f"{said_text(said(row, _PROMPT))}\n\n{completion}", completion, verdict)


def _verdict(value: Any) -> bool | None:
    """The boolean that a label stands for; None if it is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | str):
        return _VERDICTS.get(str(value).strip().casefold())
    return None


def _label_problems(row: Row) -> list[RowError]:
    key = _LABEL.key(row)
    if key is None:
        return [missing(_LABEL)]
    if _verdict(row[key]) is None:
        message = f"`{key}` must be true or false (or 1 or 0), and is {kind_of(row[key])}"
        return [RowError(key, "wrong_type", message)]
    return []


FORMAT: Format = Kto()
