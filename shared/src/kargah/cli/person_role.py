"""The option `--role`: what a person or a key may have, which is less than the roles that there are."""

from __future__ import annotations

from typing import Any

import typer

from kargah.access.roles import PEOPLE, Role

_NAMES = [role.value for role in PEOPLE]


def role_option(text: str) -> Any:
    """An option that takes a person's role."""
    return typer.Option(parser=_person_role, metavar=f"<{'|'.join(_NAMES)}>", help=text)


def _person_role(given: str) -> Role:
    if given not in _NAMES:
        raise typer.BadParameter(f"{given!r} is not one of {', '.join(_NAMES)}.")
    return Role(given)
