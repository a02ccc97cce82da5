"""docs/settings.md names every variable that a process reads, and none that no process reads."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

from pydantic_settings import BaseSettings

from dataset_svc.config import DatasetSettings
from gateway.config import GatewaySettings
from kargah.backup.config import BackupSettings
from kargah.cli.backup_commands import backup
from kargah.cli.database_command import database
from kargah.clients.config import ClientSettings
from kargah.db.settings import MigrationSettings
from registry.config import RegistrySettings
from worker.agent.config import AgentSettings, NodeSettings
from worker.imports.config import ImportSettings
from worker.inference.config import InferenceSettings

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
SETTINGS: tuple[type[BaseSettings], ...] = (
    GatewaySettings,
    DatasetSettings,
    RegistrySettings,
    AgentSettings,
    NodeSettings,
    InferenceSettings,
    ImportSettings,
    ClientSettings,
    BackupSettings,
    MigrationSettings,
)


def test_the_page_and_the_processes_agree() -> None:
    told = set(re.findall(r"`(KARGAH_[A-Z0-9_]+)", PAGE.read_text(encoding="utf-8")))
    read = (
        _of(database)
        | _of(backup)
        | {f"KARGAH_{name.upper()}" for settings in SETTINGS for name in settings.model_fields}
    )
    assert read - told == set(), "not on the page"
    assert told - read == set(), "read by nobody"


def _of(command: Callable[..., None]) -> set[str]:
    hints = inspect.get_annotations(command, eval_str=True).values()
    options = [option for hint in hints for option in getattr(hint, "__metadata__", ())]
    return {option.envvar for option in options if option.envvar}
