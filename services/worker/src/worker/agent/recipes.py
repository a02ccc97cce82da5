"""What this worker can train with, told to the job store at start."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from kargah.contracts.jobs import RecipeView
from kargah.domain.errors import Unavailable
from kargah.telemetry.logging import get_logger
from worker.agent.ledger import Ledger

_log = get_logger(__name__)
_DESCRIBE_SECONDS = 120.0
_RETRY_SECONDS = 2.0
_DESCRIBE_AGAIN_SECONDS = 30.0
_views: TypeAdapter[list[RecipeView]] = TypeAdapter(list[RecipeView])


class RecipesUnknown(RuntimeError):
    """The describing process failed; the message ends with what it said."""


def describe(module: str, env: Mapping[str, str]) -> Sequence[RecipeView]:
    """Ask `python -m module`, a process of its own, for recipes may import torch. Raises RecipesUnknown."""
    command = [sys.executable, "-m", module]
    try:
        ended = subprocess.run(command, env=dict(env), capture_output=True, timeout=_DESCRIBE_SECONDS, check=True)
    except subprocess.CalledProcessError as error:
        raise RecipesUnknown(f"{module} failed: {error.stderr.decode(errors='replace')[-2000:]}") from error
    except subprocess.TimeoutExpired as error:
        raise RecipesUnknown(f"{module} did not answer within {_DESCRIBE_SECONDS:g} s") from error
    except OSError as error:
        raise RecipesUnknown(f"{module} cannot be started: {error}") from error
    try:
        return _views.validate_json(ended.stdout)
    except ValidationError as error:
        raise RecipesUnknown(f"{module} said what is no list of recipes: {error}") from error


class RecipePublisher:
    """A thread that describes and publishes, until the database has taken it; claiming does not wait for it."""

    def __init__(self, ledger: Ledger, module: str, env: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._module = module
        self._env = env
        self._views: Sequence[RecipeView] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recipes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop trying; a description under way is left to end by itself."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            views = self._described()
            if views is not None and self._published(views):
                _log.info("recipes published", names=[view.name for view in views])
                return
            self._stop.wait(_RETRY_SECONDS if views is not None else _DESCRIBE_AGAIN_SECONDS)

    def _described(self) -> Sequence[RecipeView] | None:
        """None when it failed, which may be for lack of memory or time: a worker nobody knows of is of no use."""
        if self._views is None:
            try:
                self._views = describe(self._module, self._env)
            except RecipesUnknown as error:
                _log.error("recipes not published", reason=str(error))
        return self._views

    def _published(self, views: Sequence[RecipeView]) -> bool:
        try:
            self._ledger.publish(views)
        except Unavailable as error:
            _log.warning("recipes not published yet", error=str(error))
            return False
        return True
