"""Whole stacks of real processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kargah.testing.distributed import Distributed, distributed_stack
from kargah.testing.servers.trace_receiver import TraceReceiver, trace_receiver


@dataclass(frozen=True)
class Traced(Distributed):
    """A stack whose services send their traces to `traces`."""

    traces: TraceReceiver


@pytest.fixture(scope="module")
def distributed() -> Iterator[Traced]:
    """The distributed mode; all of its services log for machines and send traces."""
    with trace_receiver() as traces, pytest.MonkeyPatch.context() as environment:
        environment.setenv("KARGAH_TRACES_ENDPOINT", traces.url)
        environment.setenv("KARGAH_LOG_FORMAT", "json")
        with distributed_stack() as stack:
            yield Traced(stack.ports, stack.group, stack.rabbitmq, stack.folder, stack.dsn_of, traces)
