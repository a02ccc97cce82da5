"""Starts trainers: forked from the zygote where that is possible, cold where not."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kargah.contracts.runs import RunSpec
from kargah.domain.kinds import KINDS
from kargah.telemetry.logging import get_logger
from worker.agent.child import Child, ColdChild, Start
from worker.agent.metrics import AgentMetrics
from worker.agent.zygote_client import Zygote, ZygoteCommand, ZygoteUnavailable

_log = get_logger(__name__)
_FORK_SECONDS = 120.0
_TAIL_BYTES = 4000


@dataclass(frozen=True)
class Trainer:
    """A running trainer: its process, and the agent's ends of its two pipes (owned by whoever takes them)."""

    child: Child
    messages_fd: int
    control_fd: int
    log_path: Path

    @property
    def work_dir(self) -> Path:
        """The attempt's folder, the only one whose files it may hand over."""
        return self.log_path.parent

    def log_tail(self) -> str:
        """The end of what it wrote to standard output and error."""
        if not self.log_path.exists():
            return ""
        with self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return log.read().decode("utf-8", "replace").strip()


@dataclass
class Launcher:
    """Call from the agent's main thread only: trainers and zygote die with the thread that starts them.

    `zygote_command` None means that every trainer starts cold. Kinds that use the network always do: the
    zygote's libraries were told that there is none.
    """

    zygote_command: ZygoteCommand | None
    entry: str
    train_env: Mapping[str, str]
    install_env: Mapping[str, str]
    metrics: AgentMetrics
    _zygote: Zygote | None = None

    def warm_up(self) -> None:
        """Have a zygote, or one on the way: a new one if the last has died, none if it told why it cannot work."""
        if self.zygote_command is None or (self._zygote is not None and self._zygote.usable()):
            return
        if self._zygote is not None:
            _log.warning("zygote is not usable", reason=self._zygote.failure)
            self._zygote.close()
            if self._zygote.ready is None:
                self.zygote_command = self._zygote = None
                return
        self._zygote = Zygote.start(self.zygote_command)

    def warming(self) -> bool:
        """Whether a trainer would start sooner if one waited a little: the zygote still imports."""
        return self._zygote is not None and self._zygote.importing(_FORK_SECONDS)

    def start(self, spec: RunSpec, work_dir: Path) -> Trainer:
        """A trainer on `spec`. Raises OSError when not even a cold one can be started."""
        spec_path, log_path = work_dir / "spec.json", work_dir / "trainer.log"
        spec_path.write_text(spec.model_dump_json(), encoding="utf-8")
        control_read, control_write = os.pipe()
        messages_read, messages_write = os.pipe()
        try:
            start = Start(f"{spec.job_id}/{spec.generation}", spec_path, log_path, control_read, messages_write)
            child = self._start(KINDS[spec.kind].network, start)
        except OSError:
            os.close(control_write)
            os.close(messages_read)
            raise
        finally:
            os.close(control_read)
            os.close(messages_write)
        return Trainer(child, messages_read, control_write, log_path)

    def close(self) -> None:
        """End the zygote, and with it what it forked."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def _start(self, network: bool, start: Start) -> Child:
        began = time.monotonic()
        child = None if network else self._fork(start)
        way = "cold" if child is None else "forked"
        child = child or ColdChild(start, self.entry, self.install_env if network else self.train_env)
        self.metrics.trainer_started(way, time.monotonic() - began)
        return child

    def _fork(self, start: Start) -> Child | None:
        self.warm_up()
        if self._zygote is None:
            return None
        try:
            return self._zygote.fork(start, _FORK_SECONDS)
        except ZygoteUnavailable as error:
            _log.warning("trainer starts cold", reason=str(error))
            return None
