"""Many callers at once, and how long each call took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Took:
    """Calls per second over all callers, and the times of single calls in ms."""

    per_second: float
    median_ms: float
    p99_ms: float


def together(callers: int, calls: int, make: Callable[[], Callable[[], object]]) -> Took:
    """`calls` calls in all from `callers` threads, each with a call of its own making. Raises what a call raised."""
    numbers, each, errors = count(), list[float](), list[BaseException]()

    def work(call: Callable[[], object]) -> None:
        try:
            while next(numbers) < calls and not errors:
                began = time.perf_counter()
                call()
                each.append(time.perf_counter() - began)
        except BaseException as error:  # told by the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(make(),), daemon=True) for _ in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if errors:
        raise errors[0]
    return Took(len(each) / seconds, quantile_ms(each, 0.5), quantile_ms(each, 0.99))


def quantile_ms(seconds: list[float], share: float) -> float:
    """The value below which `share` of `seconds` lie, in ms."""
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))] * 1000
