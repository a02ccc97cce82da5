"""Commands that are imported when they are asked for: `kargah jobs` need not wait for what `kargah up` imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

# Where each command is: a function, or a typer application of more commands. In the order in which help lists them.
PLACES: Mapping[str, str] = {
    "dataset": "dataset_commands:app",
    "model": "model_commands:app",
    "bundle": "bundle_commands:app",
    "hub": "hub_commands:app",
    "queue": "queue_command:app",
    "login": "login_commands:login",
    "logout": "login_commands:logout",
    "whoami": "login_commands:whoami",
    "users": "user_commands:app",
    "projects": "project_commands:app",
    "keys": "key_commands:app",
    "audit": "audit_command:audit",
    "up": "stack_commands:up",
    "down": "stack_commands:down",
    "status": "stack_commands:status",
    "database": "database_command:database",
    "backup": "backup_commands:app",
    "restore": "restore_command:restore",
    "train": "job_commands:train",
    "evaluate": "evaluate_command:evaluate",
    "jobs": "job_commands:jobs",
    "logs": "job_commands:logs",
    "cancel": "control_commands:cancel",
    "pause": "control_commands:pause",
    "stop": "control_commands:stop",
    "checkpoint": "control_commands:checkpoint",
    "resume": "control_commands:resume",
    "restart": "control_commands:restart",
    "extend": "control_commands:extend",
    "checkpoints": "control_commands:checkpoints",
    "download": "checkpoint_download_command:download",
    "pin": "control_commands:pin",
    "priority": "control_commands:priority",
    "chat": "chat_command:chat",
    "demo": "demo_command:demo",
}
_NUMBERS = frozenset({"priority"})


class LazyCommands(Mapping[str, Any]):
    """Name -> command; a look imports the command's module."""

    def __getitem__(self, name: str) -> Any:
        return _load(name, PLACES[name])

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


class LazyGroup(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes | {"commands": None})
        self.commands = LazyCommands()  # type: ignore[assignment]  # nothing is ever added


@cache
def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(f"kargah.cli.{module}"), attribute)
    holder = typer.Typer(pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        # A number below 0 that stands alone is an argument: -5 is a priority.
        holder.command(name, context_settings={"ignore_unknown_options": name in _NUMBERS})(found)
    return get_group(holder).commands[name]
