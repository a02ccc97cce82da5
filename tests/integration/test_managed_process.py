"""Children are watched, told apart from their logs, and never outlive their supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kargah.embedded.folder_lock import FolderInUse, FolderLock
from kargah.embedded.process import Command, ManagedProcess, ProcessFailed
from kargah.testing.waiting import wait_until

_SUPERVISOR = """
import sys, time
from pathlib import Path
from kargah.embedded.process import Command, ManagedProcess
folder = Path(sys.argv[1])
child = ManagedProcess(Command("sleeper", ["/bin/sleep", "300"], folder / "log", folder))
print(child.pid, flush=True)
time.sleep(300)
"""


def _shell(folder: Path, script: str, **options: object) -> Command:
    return Command("script", ["/bin/sh", "-c", script], folder / "log", folder, **options)  # type: ignore[arg-type]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "(sleep) Z" not in Path(f"/proc/{pid}/stat").read_text()


def test_failure_tells_status_and_end_of_log(tmp_path: Path) -> None:
    child = ManagedProcess(_shell(tmp_path, "echo no space left >&2; exit 7"))
    with pytest.raises(ProcessFailed, match=r"(?s)status 7.*no space left"):
        child.wait_ready(lambda: False, timeout=10)


def test_failure_shows_only_its_own_run(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("an older run\n")
    child = ManagedProcess(_shell(tmp_path, "echo this run; exit 1"))
    wait_until(lambda: not child.alive())
    assert child.log_tail() == "this run"


def test_not_ready_in_time(tmp_path: Path) -> None:
    with (
        ManagedProcess(_shell(tmp_path, "exec sleep 300")) as child,
        pytest.raises(ProcessFailed, match="not ready within"),
    ):
        child.wait_ready(lambda: False, timeout=0.1)


def test_environment_is_exactly_what_was_given(tmp_path: Path) -> None:
    child = ManagedProcess(_shell(tmp_path, "exec /usr/bin/env", env={"ONLY": "this"}))
    wait_until(lambda: not child.alive())
    # The shell itself adds PWD and the like; what must not appear is the environment of the test.
    assert "ONLY=this" in child.log_tail()
    assert "PYTEST_CURRENT_TEST" not in child.log_tail()


def test_stop_kills_a_group_that_ignores_the_request(tmp_path: Path) -> None:
    child = ManagedProcess(_shell(tmp_path, "trap '' TERM; sleep 300 & echo $!; wait; wait"))
    wait_until(lambda: child.log_tail() != "")
    grandchild = int(child.log_tail())
    child.stop(grace=0.2)
    assert not child.alive()
    wait_until(lambda: not _exists(grandchild))


def test_end_of_the_child_ends_its_group(tmp_path: Path) -> None:
    child = ManagedProcess(_shell(tmp_path, "sleep 300 & echo $!; exit 0"))
    wait_until(lambda: not child.alive())
    wait_until(lambda: not _exists(int(child.log_tail())))


def test_child_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert _exists(child)
        supervisor.send_signal(signal.SIGKILL)
    wait_until(lambda: not _exists(child))


def test_folder_stays_locked_while_a_child_holds_the_lock(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path / "lock"), FolderLock(tmp_path / "lock")
    first.acquire(0.0)
    with ManagedProcess(_shell(tmp_path, "exec sleep 300", inherited=[first.descriptor])):
        first.release()
        with pytest.raises(FolderInUse):
            second.acquire(0.1)
    second.acquire(1.0)
    second.release()
