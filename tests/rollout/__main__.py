"""`make rollout RELEASE=<commit>`: an older release beside this one, on tables that this one has migrated.

Its code runs with this release's packages, in processes of their own. Twice a training begins with one half of the
platform old, that half is replaced while it trains, as a rollout does, and the training goes on to its end.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from kargah import Client
from kargah.clients.transport import ApiError, Unreachable
from kargah.contracts.jobs import JobView
from kargah.domain.job_state import TERMINAL, Status
from kargah.testing.distributed import Distributed, distributed_stack
from worker.testing.tiny_models import tiny_llama

_ROOT = Path(__file__).parents[2]
_ROWS = _ROOT / "examples/persian-qa/persian_qa.jsonl"
_MEMBERS = ("shared", "services/gateway", "services/worker", "services/dataset-svc", "services/registry")
_DOORS = ("gateway", "dataset-svc", "registry", "inference")
_CONFIG = {
    "baseModel": "tiny",
    "dataset": "persian_qa",
    "batchSize": 8,
    "learningRate": 0.001,
    "checkpoint_steps": 10,
    "epochs": 4,
}
_BEFORE = 60  # of the 172 steps that it takes
_SECONDS = 150.0
Found = TypeVar("Found")


def main() -> None:
    """Run both halves and print what was seen; ends with 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="tests.rollout")
    parser.add_argument("--release", required=True, help="a commit: the older release")
    release = parser.parse_args().release
    with tempfile.TemporaryDirectory(prefix="kargah-rollout-") as folder:
        old = _unpacked(release, Path(folder))
        for what, names in (("workers", ("worker",)), ("services", _DOORS)):
            print(f"{what} of {release}, the rest of this release: {_replaced_in_flight(old, names, Path(folder))}")


def _unpacked(release: str, folder: Path) -> str:
    """The older release's code; as PYTHONPATH says it."""
    packed = subprocess.run(["git", "archive", release, *_MEMBERS], cwd=_ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
    path = os.pathsep.join(str(folder / member / "src") for member in _MEMBERS)
    asked = [sys.executable, "-c", "import gateway, worker; print(gateway.__file__, worker.__file__)"]
    told = subprocess.run(asked, env=os.environ | {"PYTHONPATH": path}, capture_output=True, check=True, text=True)
    assert told.stdout.count(str(folder)) == 2, f"another release would run: {told.stdout}"
    return path


def _replaced_in_flight(old: str, names: Sequence[str], folder: Path) -> str:
    """A training that begins on `names` of the older release and ends on this one's; what was seen."""
    with distributed_stack({name: {"PYTHONPATH": old} for name in names}) as stack, Client(stack.url) as client:
        client.models.install_folder(tiny_llama(folder / f"llama-{names[0]}"), "tiny")
        client.datasets.upload(_ROWS, name="persian_qa")
        job = client.jobs.submit("across releases", _CONFIG | {"outputModel": "tuned"})
        _until(lambda: _moved(client, job.id, _BEFORE))
        for name in names:
            _replace(stack, name)
        ended = _until(lambda: _ended(client, job.id))
        steps = [point.step for point in client.jobs.metrics(job.id, name="loss").points]
        if ended.status is not Status.COMPLETED or steps != list(range(1, len(steps) + 1)):
            sys.exit(f"{ended.status} after the steps {steps}\n{_log_of(client, job.id)}")
        made = client.models.get("tuned").latest
        seen = f"{_BEFORE} steps and more before they were replaced, {len(steps)} in all, none missing or doubled"
        return f"{seen}; attempts: {ended.attempt}; {made.model}@{made.version} is there"


def _replace(stack: Distributed, name: str) -> None:
    """End it as an operator does, and start this release's in its place."""
    group = stack.group
    group.services = [
        replace(each, settings={key: value for key, value in each.settings.items() if key != "PYTHONPATH"})
        if each.name == name
        else each
        for each in group.services
    ]
    os.kill(group.pid(name), signal.SIGTERM)
    _until(lambda: name in group.revive())


def _moved(client: Client, job_id: str, step: int) -> bool:
    job = client.jobs.get(job_id)
    if job.status in TERMINAL:
        sys.exit(f"{job.status} before it was replaced: {_log_of(client, job_id)}")
    return (job.progress.step or 0) >= step


def _ended(client: Client, job_id: str) -> JobView | None:
    try:
        job = client.jobs.get(job_id)
    except (ApiError, Unreachable):  # the gateway itself is being replaced
        return None
    return job if job.status in TERMINAL else None


def _log_of(client: Client, job_id: str) -> str:
    return "\n".join(line.message for line in client.jobs.logs(job_id).lines)


def _until(found: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + _SECONDS
    while not (value := found()):
        if time.monotonic() > deadline:
            sys.exit(f"not within {_SECONDS:.0f} s")
        time.sleep(0.2)
    return value


if __name__ == "__main__":
    main()
