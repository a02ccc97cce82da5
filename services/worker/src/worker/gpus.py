"""What the NVIDIA devices of this machine do, told to Prometheus at each scrape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pynvml
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_LABELS = ["gpu", "name"]


@dataclass(frozen=True)
class Reading:
    """One device: its index, its name, how busy its cores were (0 to 1; None where it does not say, as one that is
    divided by MIG), bytes of memory held and there."""

    index: int
    name: str
    busy: float | None
    used_bytes: int
    total_bytes: int


class GpuCollector(Collector):
    """Asks the driver through NVML. A machine without a driver has no devices; a device that fails a call is left
    out of that scrape, and the worker's other metrics are told. A call that does not return holds all of them up."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._driver = _started()
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        readings = list(_readings()) if self._driver else []
        yield GaugeMetricFamily("kargah_gpus", "NVIDIA devices that answer on this machine", value=len(readings))
        yield from _families(readings)


def _families(readings: list[Reading]) -> Iterator[GaugeMetricFamily]:
    busy = GaugeMetricFamily("kargah_gpu_busy_ratio", "Share of the last moment that kernels ran", labels=_LABELS)
    used = GaugeMetricFamily("kargah_gpu_memory_used_bytes", "Memory of the device in use", labels=_LABELS)
    total = GaugeMetricFamily("kargah_gpu_memory_bytes", "Memory of the device", labels=_LABELS)
    for one in readings:
        labels = [str(one.index), one.name]
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
    return Reading(index, name, _busy(device), int(memory.used), int(memory.total))


def _busy(device: object) -> float | None:
    try:
        return float(pynvml.nvmlDeviceGetUtilizationRates(device).gpu) / 100
    except pynvml.NVMLError:
        return None
