"""What a format is, and what a normalised row looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation. `train`: whether its tokens carry loss (assistant turns, unless weight 0)."""

    role: str
    content: str
    train: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation, ending with an assistant's turn."""

    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and its class."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text to learn as it stands."""

    text: str


Example = Chat | LabelledText | PlainText


class NotTrained(Exception):
    """Rows of a format that no recipe trains yet cannot be made examples."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no recipe trains {name} rows yet")


class Exchange(NamedTuple):
    """A row as the checks compare it: what is asked, what is learned from it, and what two rows that ask the same
    should agree on (None: nothing)."""

    asked: str
    answer: str
    verdict: str | None


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row does not fit its format. `field` as in the file, e.g. `messages[1].role`; None for the whole row."""

    field: str | None
    code: str
    message: str


class Format(Protocol):
    """The shape of a row."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def fields(self) -> tuple[str, ...]:
        """The canonical column names, for error messages and column mapping."""
        ...

    @property
    def rank(self) -> int:
        """Orders the formats that a row looks like: the lowest wins, so what asks for more columns comes first."""
        ...

    @property
    def trained(self) -> bool:
        """Whether some recipe trains on it; such rows can be kept and checked in any case."""
        ...

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """Whether a row with these top-level fields looks like this format (needs not be valid)."""
        ...

    def validate(self, row: Row) -> list[RowError]: ...

    def to_example(self, row: Row) -> Example:
        """The normalised row; only called on rows that `validate` found nothing wrong with.

        Raises NotTrained where no recipe trains on the format yet.
        """
        ...

    def exchange(self, row: Row) -> Exchange:
        """What the checks compare; only for rows that `validate` found nothing wrong with."""
        ...
