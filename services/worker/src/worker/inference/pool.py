"""The models in memory: loaded when first asked for, the least recently used one leaves when room is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from kargah.contracts.models import ModelLocation
from worker.inference.errors import Busy
from worker.inference.turns import Turns

Model = TypeVar("Model")
_ROOM_SECONDS = 120.0


@dataclass
class _Entry(Generic[Model]):
    turns: Turns
    users: int = 0
    used_at: float = 0.0
    ready: threading.Event = field(default_factory=threading.Event)
    model: Model | None = None
    failure: BaseException | None = None


class ModelPool(Generic[Model]):
    """At most `capacity` models. `load` makes one; `unload(version_id, model)` lets go of it."""

    def __init__(
        self,
        capacity: int,
        queue_length: int,
        load: Callable[[ModelLocation], Model],
        unload: Callable[[str, Model], None],
    ) -> None:
        self._capacity = capacity
        self._queue_length = queue_length
        self._load = load
        self._unload = unload
        self._entries: dict[str, _Entry[Model]] = {}
        self._changed = threading.Condition()

    @property
    def loaded(self) -> int:
        """How many models are in memory, or on their way."""
        return len(self._entries)

    @contextmanager
    def turn(self, location: ModelLocation) -> Iterator[Model]:
        """The model, for this caller alone until the block is left. Raises Busy, and what `load` raises."""
        key = location.version.id
        entry = self._enter(key, location)
        try:
            if entry.failure is not None:
                raise entry.failure
            with entry.turns.turn():
                assert entry.model is not None
                yield entry.model
        finally:
            self._leave(entry)

    def _enter(self, key: str, location: ModelLocation) -> _Entry[Model]:
        with self._changed:
            entry = self._entries.get(key)
            mine = entry is None
            if entry is None:
                self._make_room(key)
                entry = self._entries.get(key)
                mine = entry is None
            if entry is None:
                entry = self._entries[key] = _Entry(Turns(self._queue_length))
            entry.users += 1
        if mine:
            self._fill(key, entry, location)
        entry.ready.wait()
        return entry

    def _fill(self, key: str, entry: _Entry[Model], location: ModelLocation) -> None:
        """A failure goes to everyone who waits for this model; the next one to ask tries again."""
        try:
            entry.model = self._load(location)
        except BaseException as error:
            entry.failure = error
            with self._changed:
                del self._entries[key]
                self._changed.notify_all()
        finally:
            entry.ready.set()

    def _make_room(self, key: str) -> None:
        """Wait until there is room for `key`, or until somebody else has loaded it; Busy after two minutes."""
        deadline = time.monotonic() + _ROOM_SECONDS
        while len(self._entries) >= self._capacity and key not in self._entries:
            idle = [(entry.used_at, name) for name, entry in self._entries.items() if entry.users == 0]
            if idle:
                self._evict(min(idle)[1])
            elif not self._changed.wait(deadline - time.monotonic()):
                raise Busy("All models in memory are in use.", hint="Try again in a moment.")

    def _evict(self, key: str) -> None:
        entry = self._entries.pop(key)
        assert entry.model is not None
        model, entry.model = entry.model, None
        self._unload(key, model)

    def _leave(self, entry: _Entry[Model]) -> None:
        with self._changed:
            entry.users -= 1
            entry.used_at = time.monotonic()
            self._changed.notify_all()
