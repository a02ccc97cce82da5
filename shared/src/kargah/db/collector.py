"""Figures for Prometheus that are read from the database when it scrapes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.domain.scope import EVERY, project_scope

_FRESH_SECONDS = 5.0


class DatabaseCollector(Collector):
    """What `read` gives, and `readable`: 1, or 0 while the database does not answer (the others are then absent).

    `empty` gives the same families without values: their names, so that registering asks no database. Scrapes within
    five seconds share one reading.
    """

    def __init__(
        self, readable: str, empty: Callable[[], Iterable[Metric]], read: Callable[[], Iterable[Metric]]
    ) -> None:
        self._readable = readable
        self._empty = empty
        self._read = read
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._last: Sequence[Metric] | None = None

    def describe(self) -> Iterable[Metric]:
        return [*self._empty(), self._told(False)]

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH_SECONDS:
                self._last = self._current()
                self._read_at = time.monotonic()
            return [*(self._last or ()), self._told(self._last is not None)]

    def _current(self) -> Sequence[Metric] | None:
        try:
            with project_scope(EVERY):  # whoever asks: the process has one set of figures
                return list(self._read())
        except Unavailable:
            return None

    def _told(self, readable: bool) -> Metric:
        return GaugeMetricFamily(self._readable, "Whether the database could be read.", value=float(readable))


def plain_gauges(
    readable: str, texts: Mapping[str, str], engine: Engine, read: Callable[[Connection], Sequence[float]]
) -> Collector:
    """Gauges without labels, name -> help text; `read` gives a value for each, in the same order."""

    def values() -> Iterable[Metric]:
        with UnitOfWork(engine) as tx:
            found = read(tx.connection)
        return [GaugeMetricFamily(*told, value=value) for told, value in zip(texts.items(), found, strict=True)]

    return DatabaseCollector(readable, lambda: [GaugeMetricFamily(*told) for told in texts.items()], values)
