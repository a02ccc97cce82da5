"""From the pipe to batches: nothing lost, nothing doubled, nothing that a trainer says breaks the agent."""

from __future__ import annotations

import os
import threading

import pytest

from kargah.contracts import runs
from kargah.domain.job_state import Status
from kargah.jobstore.values import EventEntry, LogEntry, MetricValue
from worker.agent.collector import Collector
from worker.agent.pipe import ControlWriter, MessageReader, lines, parse

GOOD = runs.LogMessage(message="hello")


def split(*chunks: bytes) -> list[bytes]:
    waiting = list(chunks)
    return list(lines(lambda: waiting.pop(0) if waiting else b""))


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((b"a\nb\n",), [b"a", b"b"]),
        ((b"a", b"b", b"\nc\n"), [b"ab", b"c"]),
        ((b"\n\na\n\n",), [b"a"]),
        ((b"a\nlast without end",), [b"a", b"last without end"]),
        ((), []),
    ],
)
def test_lines_whatever_the_chunks(chunks: tuple[bytes, ...], expected: list[bytes]) -> None:
    assert split(*chunks) == expected


def test_an_endless_line_is_cut_and_its_rest_dropped() -> None:
    part = b"x" * (3 << 20)
    got = split(part, part, part, b"rest\n" + b"next\n")
    assert [len(line) for line in got] == [4 << 20, 4]
    assert got[1] == b"next"


@pytest.mark.parametrize("line", [b"not json", b"[]", b'{"type":"done"}', b"\xff\xfe", b'{"type":"log","extra":1}'])
def test_what_cannot_be_read_becomes_a_warning(line: bytes) -> None:
    message = parse(line)
    assert isinstance(message, runs.LogMessage) and message.level == "warning"
    assert line.decode("utf-8", "replace") in message.message


def test_the_reader_hands_over_messages_and_the_end() -> None:
    read_fd, write_fd = os.pipe()
    got: list[runs.TrainerMessage | None] = []
    reader = MessageReader(read_fd, got.append)
    os.write(write_fd, GOOD.model_dump_json().encode() + b"\n")
    os.close(write_fd)
    assert reader.join(5) and got == [GOOD, None]


def test_a_reader_that_is_held_up_holds_up_the_writer() -> None:
    read_fd, write_fd = os.pipe()
    go_on = threading.Event()

    def hold(_message: runs.TrainerMessage | None) -> None:
        go_on.wait()

    reader = MessageReader(read_fd, hold)
    os.set_blocking(write_fd, False)
    line = GOOD.model_dump_json().encode() + b"\n"
    with pytest.raises(BlockingIOError):
        for _ in range(100_000):
            os.write(write_fd, line)
    go_on.set()
    os.close(write_fd)
    assert reader.join(10)


def test_controls_to_a_trainer_that_is_gone_or_deaf_are_dropped() -> None:
    read_fd, write_fd = os.pipe()
    controls = ControlWriter(write_fd)
    control = runs.ControlMessage(action="pause")
    assert controls.send(control)
    assert os.read(read_fd, 100) == b'{"type":"control","action":"pause"}\n'
    while controls.send(control):
        pass
    os.close(read_fd)
    assert not controls.send(control)
    controls.close()


def test_a_batch_holds_everything_in_order() -> None:
    collector = Collector()
    collector.resumed_at(4)
    collector.add(runs.PhaseMessage(phase="training"))
    collector.add(runs.MetricsMessage(step=5, epoch=0.5, values={"loss": 2.0}))
    collector.add(runs.ProgressMessage(percent=50, step=5, note="half way"))
    collector.add(runs.ProgressMessage(percent=60, step=6, note="half way"))
    collector.add(runs.EventMessage(name="sample", data={"text": "x", "name": "y"}))
    batch = collector.take()
    assert batch is not None and batch.status is Status.TRAINING and batch.resumed_at_step == 4
    assert batch.metrics == [MetricValue(5, "loss", 2.0)]
    ended = {"evaluated": None, "to_evaluate": None}
    assert batch.progress == {"phase": "training", **ended, "percent": 60.0, "step": 6}
    assert batch.logs == [LogEntry("info", "half way")]
    assert batch.events == [EventEntry("sample", {"text": "x", "name": "y"})]


def test_a_batch_is_offered_until_it_is_stored_and_then_never_again() -> None:
    collector = Collector()
    collector.log("info", "one")
    first = collector.take()
    collector.log("info", "two")
    assert collector.take() is first
    collector.stored()
    second = collector.take()
    assert second is not None and second.logs == [LogEntry("info", "two")]
    collector.stored()
    assert collector.take() is None


def test_evaluation_ends_where_training_goes_on() -> None:
    collector = Collector()
    for phase in ("evaluating", "saving"):
        collector.add(runs.PhaseMessage.model_validate({"phase": phase}))
    batch = collector.take()
    assert batch is not None and batch.status is Status.EVALUATING and batch.progress["phase"] == "saving"


def test_a_flood_is_noticed() -> None:
    collector = Collector()
    assert not collector.full()
    for number in range(6000):
        collector.log("info", str(number))
    assert collector.full()
