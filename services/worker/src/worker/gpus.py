"""What the NVIDIA devices of this machine do, told to Prometheus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pynvml
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_LABELS = ["gpu", "name", "uuid"]  # two processes of a machine tell of the same device: by its uuid it is counted once
_LOOK_SECONDS = 5.0
_STALE_SECONDS = 60.0


@dataclass(frozen=True)
class Reading:
    """One device: its index, name and uuid, how busy its cores were (0 to 1; None where it does not say, as one that is
    divided by MIG), bytes of memory held and there."""

    index: int
    name: str
    uuid: str
    busy: float | None
    used_bytes: int
    total_bytes: int


class GpuCollector(Collector):
    """NVML is asked by a thread of its own, every few seconds: a call to a driver that hangs does not return, and must
    not hold up the worker's start or its other metrics. A device that fails a call is left out, and so is everything
    that was read too long ago."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._read: list[Reading] = []
        self._read_at = time.monotonic()
        registry.register(self)
        threading.Thread(target=self._watch, name="gpus", daemon=True).start()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """The same families, without asking: a registry wants their names at once."""
        yield from _families([])

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _families(self._read if time.monotonic() - self._read_at < _STALE_SECONDS else [])

    def look(self) -> None:
        """Ask all devices once."""
        self._read, self._read_at = list(_readings()), time.monotonic()

    def _watch(self) -> None:
        if _started():
            while True:
                self.look()
                time.sleep(_LOOK_SECONDS)


def _families(readings: list[Reading]) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily("kargah_gpus", "NVIDIA devices that this process sees", value=len(readings))
    busy = GaugeMetricFamily("kargah_gpu_busy_ratio", "Share of the last moment that kernels ran", labels=_LABELS)
    used = GaugeMetricFamily("kargah_gpu_memory_used_bytes", "Memory of the device in use", labels=_LABELS)
    total = GaugeMetricFamily("kargah_gpu_memory_bytes", "Memory of the device", labels=_LABELS)
    for one in readings:
        labels = [str(one.index), one.name, one.uuid]
        if one.busy is not None:
            busy.add_metric(labels, one.busy)
        used.add_metric(labels, one.used_bytes)
        total.add_metric(labels, one.total_bytes)
    yield from (busy, used, total)


def _started() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def _readings() -> Iterator[Reading]:
    for index in range(_count()):
        try:
            yield _reading(index)
        except pynvml.NVMLError:
            continue


def _count() -> int:
    try:
        return int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return 0


def _reading(index: int) -> Reading:
    device = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(device)
    name = str(pynvml.nvmlDeviceGetName(device))
    uuid = str(pynvml.nvmlDeviceGetUUID(device))
    return Reading(index, name, uuid, _busy(device), int(memory.used), int(memory.total))


def _busy(device: object) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetUtilizationRates(device).gpu) / 100
    except pynvml.NVMLError:
        return None
