"""Trainers as processes: forked from a zygote and started cold, both held to the same behaviour."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kargah.contracts import runs
from worker.agent.child import ColdChild, Start
from worker.agent.child_env import install_env, trainer_env, zygote_env
from worker.agent.zygote_client import Zygote, ZygoteUnavailable
from worker.testing import processes
from worker.testing.processes import ENTRY, Trial, alive, command, end_trial, start_trial, until
from worker.zygote.server import Server, _Child
from worker.zygote.wire import Launch, send

SECRETS = {"KARGAH_DATABASE_URL": "postgresql://u:secret@h/db", "KARGAH_S3_SECRET_KEY": "s", "AWS_SECRET": "s"}
Begin = Callable[..., Trial]


def parent_env(**extra: str) -> dict[str, str]:
    """What an agent may have been started with: the test's own environment and `extra`."""
    return {**os.environ, **extra}


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[Zygote]:
    env = zygote_env(parent_env(**SECRETS), tmp_path / "cache")
    zygote = Zygote.start(command(env, tmp_path))
    yield zygote
    zygote.close()


@pytest.fixture(params=["zygote", "cold"])
def begin(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Begin]:
    """Starts trials by either way of making a trainer."""
    trials: list[Trial] = []
    env = trainer_env(parent_env(**SECRETS), tmp_path / "cache", 2)
    zygote = request.getfixturevalue("zygote") if request.param == "zygote" else None

    def start(run: str = "run-1", **params: Any) -> Trial:
        make = (lambda s: zygote.fork(s, 20)) if zygote else (lambda s: ColdChild(s, ENTRY, env))
        trials.append(start_trial(tmp_path, run, make, **params))
        return trials[-1]

    yield start
    for trial in trials:
        end_trial(trial)


def test_messages_arrive_and_the_exit_code_is_told(begin: Begin) -> None:
    trial = begin(script="train", steps=3)
    messages = trial.messages()
    assert isinstance(messages[0], runs.EventMessage)
    assert messages[-1] == runs.DoneMessage(outcome="finished")
    assert trial.exit_status() == 0


@pytest.mark.parametrize(("params", "status"), [({"code": 7}, 7), ({"script": "die"}, -9)])
def test_exit_status_tells_codes_and_signals(begin: Begin, params: dict[str, Any], status: int) -> None:
    assert begin(**{"script": "exit", **params}).exit_status() == status


def test_output_goes_to_the_log_and_an_exception_leaves_its_traceback(begin: Begin) -> None:
    trial = begin(script="raise")
    assert trial.exit_status() not in (0, None)
    assert "boom in the trainer" in trial.log_path.read_text()


def test_a_control_reaches_the_trainer(begin: Begin) -> None:
    trial = begin(script="train", steps=10_000, pace=30)
    trial.control("pause")
    assert trial.messages()[-1] == runs.DoneMessage(outcome="paused")


def test_trainer_leads_its_own_session_with_clean_signals_and_descriptors(begin: Begin) -> None:
    report = begin(script="report").events()["report"]
    assert report["session"] == report["pid"]
    assert report["term_is_default"] and report["blocked"] == []
    # 0-2, the two pipes, and the one that lists the folder
    assert len(report["fds"]) == 6


def test_trainer_sees_none_of_the_agents_secrets_and_is_offline(begin: Begin) -> None:
    env = begin(script="report").events()["report"]["env"]
    assert not set(SECRETS) & {entry.partition("=")[0] for entry in env}
    assert "secret" not in json.dumps(env)
    assert "HF_HUB_OFFLINE=1" in env


def test_install_env_is_online_but_has_no_secrets_either(tmp_path: Path) -> None:
    env = install_env({**SECRETS, "HTTPS_PROXY": "http://proxy", "PATH": "/bin"}, tmp_path, 2)
    assert env["HTTPS_PROXY"] == "http://proxy" and "HF_HUB_OFFLINE" not in env
    assert not set(SECRETS) & set(env)


def test_kill_ends_a_hanging_trainer(begin: Begin) -> None:
    trial = begin(script="hang")
    assert os.read(trial.messages_fd, 4096)
    trial.child.kill()
    assert trial.exit_status() == -signal.SIGKILL


def test_what_a_trainer_leaves_behind_is_killed_with_it(begin: Begin) -> None:
    trial = begin(script="forker")
    data = os.read(trial.messages_fd, 4096)
    descendant = json.loads(data)["data"]["pid"]
    assert trial.exit_status() == 0
    until(lambda: not alive(descendant), "the descendant's end")


def test_siblings_draw_different_random_numbers(zygote: Zygote, tmp_path: Path) -> None:
    drawn = set()
    for number in range(3):
        trial = start_trial(tmp_path, f"run-{number}", lambda s: zygote.fork(s, 20), script="report")
        drawn.add(trial.events()["report"]["random"])
        end_trial(trial)
    assert len(drawn) == 3


def test_pid_is_kept_until_released(zygote: Zygote, tmp_path: Path) -> None:
    trial = start_trial(tmp_path, "run-1", lambda s: zygote.fork(s, 20), script="exit")
    trial.exit_status()
    pid = trial.child.pid
    assert Path(f"/proc/{pid}").exists(), "a zombie, so that its number is nobody else's"
    end_trial(trial)
    until(lambda: not Path(f"/proc/{pid}").exists(), "reaping")


def test_zygote_is_single_threaded_and_says_so(zygote: Zygote) -> None:
    ready = processes.poll(lambda: zygote.ready, "readiness")
    assert ready.threads == 1 and ready.pid == zygote.process.pid


def test_trainers_die_with_a_killed_zygote_and_the_agent_is_told(zygote: Zygote, tmp_path: Path) -> None:
    trial = start_trial(tmp_path, "run-1", lambda s: zygote.fork(s, 20), script="hang")
    os.kill(zygote.process.pid, signal.SIGKILL)
    assert trial.exit_status() == -signal.SIGKILL
    until(lambda: not alive(trial.child.pid), "the trainer's end")
    with pytest.raises(ZygoteUnavailable):
        zygote.fork(Start("run-2", tmp_path / "s", tmp_path / "l", 0, 1), 5)
    end_trial(trial)


def test_closing_ends_the_trainers_too(tmp_path: Path) -> None:
    zygote = Zygote.start(command(zygote_env(parent_env(), tmp_path), tmp_path))
    trial = start_trial(tmp_path, "run-1", lambda s: zygote.fork(s, 20), script="hang")
    zygote.close()
    until(lambda: not alive(trial.child.pid), "the trainer's end")
    end_trial(trial)


def test_failing_preload_is_told_as_the_reason(tmp_path: Path) -> None:
    env = zygote_env(parent_env(), tmp_path)
    zygote = Zygote.start(command(env, tmp_path, preload="worker.testing.scripted_trainer:failing_preload"))
    with pytest.raises(ZygoteUnavailable, match="no such wheel"):
        zygote.fork(Start("run-1", tmp_path / "s", tmp_path / "l", 0, 1), 20)
    assert not zygote.usable()
    zygote.close()


def test_launch_without_descriptors_is_refused(zygote: Zygote) -> None:
    processes.poll(lambda: zygote.ready, "readiness")
    send(zygote.channel, Launch(run="run-1", spec_path="/s", log_path="/l"))
    until(lambda: zygote.process.poll() is None, "surviving")
    assert zygote.usable()


_AGENT = """
import os, sys, time
from pathlib import Path
from worker.testing import processes
from worker.agent.child import ColdChild
from worker.agent.child_env import trainer_env, zygote_env
from worker.agent.zygote_client import Zygote
folder = Path(sys.argv[1])
zygote = Zygote.start(processes.command(zygote_env(os.environ, folder), folder))
env = trainer_env(os.environ, folder, 1)
one = processes.start_trial(folder, "one", lambda s: zygote.fork(s, 20), script="hang")
two = processes.start_trial(folder, "two", lambda s: ColdChild(s, processes.ENTRY, env), script="hang")
os.read(two.messages_fd, 10)
print(zygote.process.pid, one.child.pid, two.child.pid, flush=True)
time.sleep(600)
"""


def test_everything_dies_with_a_killed_agent(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _AGENT, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=dict(parent_env())
    ) as agent:
        assert agent.stdout is not None
        pids = [int(pid) for pid in agent.stdout.readline().split()]
        assert len(pids) == 3 and all(alive(pid) for pid in pids)
        agent.kill()
    until(lambda: not any(alive(pid) for pid in pids), "the end of zygote and trainers")


def test_an_exit_that_is_reaped_in_the_same_moment_harms_nobody() -> None:
    """One look at the selector may see a child's end and the agent's word that it knows, in either order."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        server = Server(theirs, "nothing:run")
        child = subprocess.Popen(["true"], start_new_session=True)
        server._children["run"] = _Child(child.pid, os.pidfd_open(child.pid))
        server._selector.register(server._children["run"].pidfd, selectors.EVENT_READ, "run")
        server._reap("run")
        server._tell_exit("run")
        child.returncode = 0  # the server has waited for it
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(10)


_HIDDEN = """
import ctypes
from worker.zygote.lifetime import hide_environment
PR_GET_DUMPABLE = 3
before = ctypes.CDLL(None).prctl(PR_GET_DUMPABLE)
hide_environment()
print(before, ctypes.CDLL(None).prctl(PR_GET_DUMPABLE))
"""


def test_a_process_can_hide_its_environment_from_its_user() -> None:
    shown = subprocess.run([sys.executable, "-c", _HIDDEN], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["1", "0"]
