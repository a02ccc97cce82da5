"""What is told of the devices: nothing where there is no driver, and each device that answers where there is one."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pynvml
import pytest
from prometheus_client import CollectorRegistry

from kargah.telemetry.metrics import exposition
from kargah.testing.waiting import wait_until
from worker.gpus import GpuCollector


class Driver:
    """Answers as NVML does, for four devices: the second has fallen off the bus, the last is divided by MIG."""

    def __init__(self) -> None:
        self.away = False

    def nvmlInit(self) -> None:
        """There is a driver."""

    def nvmlDeviceGetCount(self) -> int:
        if self.away:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN)
        return 4

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return index

    def nvmlDeviceGetMemoryInfo(self, device: int) -> SimpleNamespace:
        return SimpleNamespace(used=(device + 1) << 30, total=80 << 30)

    def nvmlDeviceGetUtilizationRates(self, device: int) -> SimpleNamespace:
        if device == 3:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=90 + device)

    def nvmlDeviceGetName(self, _device: int) -> str:
        return "NVIDIA H100"

    def nvmlDeviceGetUUID(self, device: int) -> str:
        return f"GPU-{device}"


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    for name in (name for name in vars(Driver) if name.startswith("nvml")):
        monkeypatch.setattr(pynvml, name, getattr(driver, name))
    return driver


def test_devices_that_answer_are_told(driver: Driver) -> None:
    registry = CollectorRegistry()
    collector = GpuCollector(registry)
    wait_until(lambda: "kargah_gpus 3.0" in exposition(registry).decode(), timeout=20)
    told = exposition(registry).decode()
    assert 'kargah_gpu_busy_ratio{gpu="0",name="NVIDIA H100",uuid="GPU-0"} 0.9\n' in told
    assert 'kargah_gpu_memory_used_bytes{gpu="2",name="NVIDIA H100",uuid="GPU-2"} 3.221225472e+09' in told
    assert 'gpu="1"' not in told
    assert 'kargah_gpu_memory_used_bytes{gpu="3",name="NVIDIA H100",uuid="GPU-3"} 4.294967296e+09' in told
    assert 'kargah_gpu_busy_ratio{gpu="3"' not in told
    driver.away = True
    collector.look()
    assert "kargah_gpus 0.0" in exposition(registry).decode()


def test_a_machine_without_a_driver_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    registry = CollectorRegistry()
    GpuCollector(registry)
    assert [line for line in exposition(registry).decode().splitlines() if not line.startswith("#")] == [
        "kargah_gpus 0.0"
    ]


def test_a_driver_that_hangs_holds_nobody_up(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, returned = threading.Event(), threading.Event()

    def hang() -> int:
        asked.set()
        returned.wait(60)
        return 0

    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", hang)
    registry = CollectorRegistry(auto_describe=True)
    GpuCollector(registry)
    assert asked.wait(20)
    assert "kargah_gpus 0.0" in exposition(registry).decode()
    returned.set()
