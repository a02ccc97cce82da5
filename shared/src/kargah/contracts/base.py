"""What all wire models share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")
Timestamp = Annotated[datetime, AwareDatetime]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""Of a dataset or a model: what the database's column can hold."""


class Wire(BaseModel):
    """An answer or a message: camelCase on the wire, snake_case in Python, both accepted on input."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", protected_namespaces=(), frozen=True
    )


class WireRequest(Wire):
    """A request body: an unknown field is an error, and so is a bool for an int or a number for a string."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Page(Wire, Generic[Item]):
    """One page, newest first; `next_cursor` is what `?cursor=` takes, None at the end. `total` counts all matches."""

    items: list[Item]
    next_cursor: str | None = None
    total: int | None = None
