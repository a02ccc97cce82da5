"""A run on two nodes, each with processes and a group of its own: the second one comes, works, dies and comes again."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kargah.contracts.runs import EventMessage, FailedMessage, NodePlan
from worker.agent.config import AgentSettings, NodeSettings
from worker.agent.group import Group
from worker.agent.node import Follower
from worker.agent.zygote_client import Zygote
from worker.nodes import wire
from worker.testing.processes import alive, until

from .test_ranks import DIVIDED, Run, Told, at_step, checkpoint, run, same_curves, zygote

__all__ = ["run", "zygote"]
SECRET = "known to all nodes of the group"
SHORT = {"max_steps": 6, "sample_prompts": 0}


@pytest.fixture(scope="module")
def plan() -> NodePlan:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return NodePlan(devices=1, address=f"127.0.0.1:{port}", run="r-1", key=wire.key_of(SECRET, "r-1"))


@pytest.fixture(scope="module")
def follower(plan: NodePlan, zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeSettings]:
    """The second node, which waits for runs; what it was told to begin lies in its own folder."""
    folder = tmp_path_factory.mktemp("node")
    settings = NodeSettings(
        data_dir=folder,
        node_rank=1,
        nodes_address=plan.address,
        nodes_secret=SECRET,  # type: ignore[arg-type]
    )
    settings.own_dir.mkdir(parents=True)
    node = Follower(settings, lambda: zygote)
    thread = threading.Thread(target=node.serve, daemon=True)
    thread.start()
    yield settings
    node.end()
    thread.join(timeout=30)
    assert not thread.is_alive()


def test_two_nodes_learn_what_one_learns_and_the_second_may_die(
    run: Run, plan: NodePlan, follower: NodeSettings
) -> None:
    alone = run(1, params=SHORT)
    killed = run(2, at_step(5, lambda told: _kill_the_node(follower)), nodes=plan, params=SHORT | DIVIDED)
    (failed,) = killed.of(FailedMessage)
    assert killed.status == 11 and failed.code == "rank_lost" and not failed.permanent
    assert "Node 1" in failed.message or "Process 1" in failed.message
    again = run(2, nodes=plan, resume_dir=checkpoint(killed, 4), params=SHORT | DIVIDED)
    assert again.status == 0, again.of(FailedMessage)
    (started,) = [event for event in again.of(EventMessage) if event.name == "ranks_started"]
    assert started.data["nodes"] == 2 and len(started.data["pids"]) == 1
    for name in ("loss", "grad_norm"):
        assert same_curves(killed.values(name) | again.values(name), alone.values(name)), name
    until(lambda: not _of_the_node(follower), "the end of the node's processes")


def _kill_the_node(settings: NodeSettings) -> None:
    """As when its machine is lost: everything that it has started is gone at once."""
    (leader,) = _of_the_node(settings)
    os.killpg(leader, signal.SIGKILL)


def _of_the_node(settings: NodeSettings) -> list[int]:
    """Leaders of process groups that write into the node's folder."""
    folders = [str(path) for path in settings.own_dir.glob("run*")]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            writes = os.readlink(process / "fd" / "1")
            leads = os.getpgid(int(process.name)) == int(process.name)
        except OSError:
            continue
        if leads and any(writes.startswith(folder) for folder in folders) and alive(int(process.name)):
            found.append(int(process.name))
    return found


class Meeting:
    """Both ends of a connection, with a node at one of them."""

    def __init__(self, secret: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            self._there = socket.create_connection(door.getsockname(), timeout=5)
            self.here, _ = door.accept()
        self.heard: str | Exception | None = None
        self._node = threading.Thread(target=self._join, args=(secret,))
        self._node.start()

    def _join(self, secret: str) -> None:
        try:
            self.heard = wire.join(self._there, secret, 5).plan
        except (wire.Stranger, OSError) as error:
            self.heard = error

    def __enter__(self) -> Meeting:
        return self

    def __exit__(self, *_: object) -> None:
        self.here.close()
        self._node.join(timeout=20)
        self._there.close()


def test_a_node_that_knows_the_secret_hears_what_it_is_to_do() -> None:
    key = wire.key_of(SECRET, "r-1")
    with Meeting(SECRET) as meeting:
        wire.invite(meeting.here, key, wire.admit(meeting.here, "r-1", key), "{}")
    assert meeting.heard == "{}"


def test_a_node_that_does_not_is_not_let_in() -> None:
    with Meeting("another secret, of strangers") as meeting, pytest.raises(wire.Stranger, match="secrets differ"):
        wire.admit(meeting.here, "r-1", wire.key_of(SECRET, "r-1"))
    assert isinstance(meeting.heard, wire.Stranger)


def test_a_node_does_not_begin_what_somebody_else_asks_for() -> None:
    with Meeting(SECRET) as meeting:
        nonces = wire.admit(meeting.here, "r-1", wire.key_of(SECRET, "r-1"))
        wire.invite(meeting.here, "not the key", nonces, "{}")
    assert isinstance(meeting.heard, wire.Stranger) and str(meeting.heard) == "the secrets differ"


def test_a_worker_of_several_machines_says_where_they_meet_and_by_which_secret() -> None:
    needed: dict[str, Any] = {
        "registry_url": "http://r",
        "datasets_url": "http://d",
        "database_url": "postgresql://h/d",
    }
    with pytest.raises(ValueError, match="KARGAH_NODES=2 needs KARGAH_NODES_ADDRESS"):
        AgentSettings(**needed, nodes=2)
    with pytest.raises(ValueError, match="needs KARGAH_NODES_SECRET"):
        AgentSettings(**needed, nodes=2, nodes_address="n0:29400")
    group = Group.of(AgentSettings(**needed, nodes=2, nodes_address="n0:29400", nodes_secret=SECRET), 4)
    assert group is not None and SECRET not in repr(group)
    assert group.plan("r-1") == NodePlan(devices=4, address="n0:29400", run="r-1", key=wire.key_of(SECRET, "r-1"))
    assert Group.of(AgentSettings(**needed), 4) is None


def test_a_run_that_one_machine_can_do_waits_for_nobody(run: Run, plan: NodePlan) -> None:
    told: Told = run(2, nodes=plan.model_copy(update={"devices": 2}), params={"max_steps": 1, "sample_prompts": 0})
    assert told.status == 0 and "nodes" not in told.of(EventMessage)[0].data
