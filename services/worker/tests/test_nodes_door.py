"""Where the machines of a worker meet: what strangers say is no matter, and a node outlives what goes wrong on it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from kargah.contracts.runs import NodePlan, RunSpec, TrainerMessage
from worker.agent import node as node_module
from worker.agent.child import Child, Start
from worker.agent.config import NodeSettings
from worker.agent.node import Follower
from worker.agent.zygote_client import Zygote, ZygoteUnavailable
from worker.nodes import wire
from worker.testing.processes import poll
from worker.trainer.context import Action, MessageContext
from worker.trainer.ranks import nodes as nodes_module

SECRET = "known to all nodes of the group"
KEY = wire.key_of(SECRET, "r-1")
BRACKETS = b"[" * 100_000 + b"\n"
HALF_A_CHARACTER = b'{"nonce": "a", "proof": "\\ud800"}\n'


class Silent(MessageContext):
    """The context of a run that nobody listens to."""

    def send(self, message: TrainerMessage) -> None:
        """Nobody hears it."""

    def receive(self) -> list[Action]:
        return []


@pytest.fixture(params=["127.0.0.1", "[::1]"])
def address(request: pytest.FixtureRequest) -> str:
    """Where nobody listens yet."""
    host = request.param.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, 0), family=family) as probe:
            return f"{request.param}:{probe.getsockname()[1]}"
    except OSError:
        pytest.skip(f"this machine has no {host}")


def _spec(nodes: NodePlan | None = None) -> RunSpec:
    return RunSpec(
        job_id="j", generation=1, recipe="sft", params={}, work_dir="/w", cache_dir="/c", devices=2, nodes=nodes
    )


def _knock(address: tuple[str, int]) -> socket.socket:
    def try_it() -> socket.socket | None:
        try:
            return socket.create_connection(address, timeout=10)
        except OSError:
            return None

    return poll(try_it, "somebody who listens")


def test_strangers_at_the_door_do_not_keep_a_run_from_beginning(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes_module, "_WAIT_SECONDS", 60.0)
    plan = NodePlan(devices=1, address=address, run="r-1", key=KEY)
    with ThreadPoolExecutor(1) as pool:
        gathering = pool.submit(nodes_module.gather_nodes, Silent(_spec(plan)))
        for said in (b"", b"\xff\n", BRACKETS, HALF_A_CHARACTER):
            with _knock(wire.address_of(address)) as stranger:
                stranger.sendall(said)
        with _knock(wire.address_of(address)) as there:
            told = RunSpec.model_validate_json(wire.join(there, SECRET, 30).plan)
            (node,), meeting = gathering.result(timeout=30)
            assert meeting is not None and meeting.listen_fd is not None and told.nodes is not None
            with node.connection, socket.socket(fileno=meeting.listen_fd) as store:
                assert told.nodes.first == node.first == 1
                assert told.nodes.meeting_port == store.getsockname()[1]


@pytest.mark.parametrize(
    ("said", "why"), [(b"\xff\n", "no JSON"), (BRACKETS, "no JSON"), (HALF_A_CHARACTER, "secrets differ")]
)
def test_what_a_stranger_says_makes_it_a_stranger(said: bytes, why: str) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(said)
        with pytest.raises(wire.Stranger, match=why):
            wire.admit(here, "r-1", KEY)


def test_a_byte_now_and_then_does_not_put_off_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_ANSWER_SECONDS", 0.2)
    over = threading.Event()
    here, there = socket.socketpair()

    def dribble() -> None:
        with there:
            for _ in range(100):
                there.sendall(b" ")
                if over.wait(0.03):
                    return

    with here:
        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            with pytest.raises((wire.Stranger, TimeoutError), match=r"takes too long|timed out"):
                wire.admit(here, "r-1", KEY)
        finally:
            over.set()
            thread.join(timeout=30)


class Spent:
    """A zygote that has been killed."""

    def usable(self) -> bool:
        return False

    def fork(self, start: Start, timeout: float) -> Child:
        raise ZygoteUnavailable("it ended with status -9")

    def close(self) -> None:
        """Nothing of it is left."""


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(30)
        yield door


def test_a_node_outlives_a_plan_of_another_release_and_the_end_of_its_zygote(
    door: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_module, "_RETRY_SECONDS", 0.01)
    address = f"127.0.0.1:{door.getsockname()[1]}"
    settings = NodeSettings(data_dir=tmp_path, node_rank=1, nodes_address=address, nodes_secret=cast(Any, SECRET))
    settings.own_dir.mkdir(parents=True)
    started: list[Spent] = []

    def start() -> Zygote:
        started.append(Spent())
        return cast(Zygote, started[-1])

    follower = Follower(settings, start)
    thread = threading.Thread(target=follower.serve, daemon=True)
    thread.start()
    try:
        for plan in ('{"wanted": "tomorrow"}', _spec().model_dump_json(), _spec().model_dump_json()):
            _invite(door, plan)
        assert len(started) == 3, "one, and one for each run that it found the last one spent"
        assert not list(settings.own_dir.glob("run-*"))
    finally:
        follower.end()
        thread.join(timeout=30)
    assert not thread.is_alive()


def _invite(door: socket.socket, plan: str) -> None:
    """Ask the node for a run, and wait until it has given it up."""
    connection, _ = door.accept()
    with connection:
        wire.invite(connection, KEY, wire.admit(connection, "r-1", KEY), plan)
        connection.settimeout(30)
        assert connection.recv(1) == b""


def test_a_node_that_does_not_know_where_node_0_is_says_so() -> None:
    with pytest.raises(ValueError, match="KARGAH_NODE_RANK=1 needs KARGAH_NODES_ADDRESS"):
        NodeSettings(node_rank=1)
    with pytest.raises(ValueError, match="needs KARGAH_NODES_SECRET"):
        NodeSettings(node_rank=1, nodes_address="n0:29400")
