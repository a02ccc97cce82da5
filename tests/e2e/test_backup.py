"""The restore drill: a stack at work is backed up, destroyed, and restored elsewhere; its jobs go on as if nothing was.

And what goes wrong with backups: a wrong password, damage, an object that is gone, kills in the middle.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from kargah import Client
from kargah.backup.place import embedded_place
from kargah.cli.main import app
from kargah.contracts.jobs import JobView
from kargah.embedded.ports import free_port
from kargah.embedded.postgres_home import remove_home
from kargah.testing.servers.folder import server_folder
from worker.testing.tiny_models import question_rows, tiny_llama, write_rows

from .commands import Kargah

pytestmark = pytest.mark.campaign

_PASSWORD = "only for tests"
_SECONDS = 120.0
_TRAINING = {"baseModel": "tiny", "dataset": "rows@1", "learningRate": 0.005, "evalFraction": 0.1}


@dataclass(frozen=True)
class Drill:
    """What stood before everything was destroyed, and the backups of it."""

    command: Kargah
    folder: Path
    target: Path
    backups: list[dict[str, Any]]
    objects: dict[str, str]
    models: list[Any]
    datasets: list[Any]
    jobs: dict[str, tuple[str, Any]]
    paused: JobView
    running: JobView
    generation: int

    @property
    def second(self) -> Path:
        """Where it is restored to."""
        return self.folder / "second"


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    """A stack with a model, versions of a dataset, trainings ended, paused and running; saved twice; destroyed."""
    made = tmp_path_factory.mktemp("made")
    command = Kargah(f"http://127.0.0.1:{free_port()}")
    with server_folder() as folder, pytest.MonkeyPatch.context() as patch:
        first, target = folder / "first", folder / "target"
        patch.setenv("KARGAH_BACKUP_PASSWORD", _PASSWORD)
        patch.setenv("KARGAH_BACKUP_TARGET", str(target))
        with _up(command, first):
            command.run("model", "install", str(tiny_llama(made / "llama")), "--name", "tiny")
            for seed in range(2):
                rows = write_rows(made / f"rows-{seed}.jsonl", question_rows(120, seed))
                command.run("dataset", "upload", str(rows), "--name", "rows")
            command.run("dataset", "split", "rows", "--test", "10%")
            with Client(command.url) as client:
                trained = client.jobs.wait(client.jobs.submit("trained", _config(20)).id)
                assert trained.status == "completed", trained.error
                paused = _paused(client)
                backups = [_json("backup", "--data", str(first))]
                running = _running(client)
                backups.append(_json("backup", "--data", str(first)))
                told = (*_listed(client), _jobs(client))
        objects, generation = _objects(first), _generation(first, running.id)
        remove_home(first)
        shutil.rmtree(first)
        yield Drill(command, folder, target, backups, objects, *told, paused, running, generation)


def test_the_second_backup_sends_what_is_new_only(drill: Drill) -> None:
    first, second = drill.backups
    print(f"first: {first['addedBytes']:,} bytes added; second: {second['addedBytes']:,}")
    assert first["addedBytes"] >= first["databaseBytes"] > 0
    assert second["addedBytes"] < second["objectsBytes"] + second["databaseBytes"]
    files = [path for path in (drill.target / "data").rglob("*") if path.is_file()]
    assert len(files) == first["added"] + second["added"] + 4, "nothing is sent twice; two summaries, two contents"
    assert [backup["missing"] for backup in drill.backups] == [[], []]
    listed = _json("backup", "list")["items"]
    assert [one["id"] for one in listed] == [one["id"] for one in drill.backups]
    assert _json("backup", "check")["problems"] == []


def test_nothing_in_the_target_can_be_read_without_the_password(drill: Drill) -> None:
    names = {path.name for path in drill.target.rglob("*")}
    assert not names & {digest for digest in drill.objects.values()}
    content = b"".join(path.read_bytes() for path in drill.target.rglob("*") if path.is_file())
    assert b"kargah" not in content.lower() and _PASSWORD.encode() not in content
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KARGAH_BACKUP_PASSWORD", "another")
        assert "password does not open" in _refused("backup", "list")


def test_a_killed_restore_is_seen_and_run_again(drill: Drill) -> None:
    _kill_when(drill, drill.second / "run" / "restore-unfinished", "restore", "--data", str(drill.second))
    refused = drill.command.run("up", "--data", str(drill.second), "--port", str(free_port()), expect=1)
    assert "was not finished" in refused.stderr
    restored = _json("restore", "--data", str(drill.second))
    assert restored["backup"] == drill.backups[-1]["id"]
    assert restored["requeued"] == 1  # the one that ran
    assert "--replace" in _refused("restore", "--data", str(drill.second))


def test_everything_is_there_again_and_jobs_go_on(drill: Drill) -> None:
    after = _objects(drill.second)
    assert {key: after.get(key) for key in drill.objects} == drill.objects
    with _up(drill.command, drill.second), Client(drill.command.url) as client:
        assert _listed(client) == (drill.models, drill.datasets)
        assert {job for job in _jobs(client).items() if job[1][0] == "completed"} == {
            job for job in drill.jobs.items() if job[1][0] == "completed"
        }
        _goes_on(client, drill)
        client.jobs.control(drill.running.id, "cancel")
        client.jobs.resume(drill.paused.id)
        resumed = client.jobs.wait(drill.paused.id)
        steps = resumed.progress.total_steps
        whole = client.jobs.wait(client.jobs.submit("uninterrupted", _config(steps)).id)
        assert (resumed.status, whole.status) == ("completed", "completed"), resumed.error or whole.error
        losses = [_losses(client, job.id) for job in (resumed, whole)]
        assert len(losses[0]) == steps and losses[0] == losses[1]
        begun = max(attempt.resumed_step or 0 for attempt in client.jobs.attempts(resumed.id).items)
        print(f"resumed after step {begun} of {steps}: the same {steps} losses as uninterrupted")
        assert begun > 0


def _goes_on(client: Client, drill: Drill) -> None:
    """The job that ran is queued anew or runs again, and its old worker's generation is past."""
    attempts = client.jobs.attempts(drill.running.id).items
    assert [one.outcome for one in attempts if one.attempt <= drill.generation] == ["restored"]
    assert client.jobs.get(drill.running.id).status in {"pending", "preparing", "training", "evaluating"}
    assert _generation(drill.second, drill.running.id) > drill.generation + 1000


def test_a_killed_backup_leaves_the_earlier_ones_and_the_next_goes_on(drill: Drill) -> None:
    shutil.copytree(drill.target, drill.folder / "killed")
    objects = drill.folder / "killed" / "data"
    before = {path for path in objects.rglob("*")}
    command = (*_command("backup", "--to", str(objects.parent), "--data", str(drill.second)),)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _until(lambda: process.poll() is not None or {path for path in objects.rglob("*")} != before)
        process.kill()
    listed = [one["id"] for one in _json("backup", "list", "--to", str(objects.parent))["items"]]
    assert listed[:2] == [backup["id"] for backup in drill.backups]
    again = _json("backup", "--to", str(objects.parent), "--data", str(drill.second))
    assert again["missing"] == [] and again["counts"]["jobs"] == 4
    assert _json("backup", "check", "--to", str(objects.parent))["problems"] == []


def test_damage_is_found_named_and_never_restored(drill: Drill) -> None:
    target = drill.folder / "damaged"
    shutil.copytree(drill.target, target)
    largest = max(
        (path for path in (target / "data").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size
    )
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    (problem,) = _json("backup", "check", "--to", str(target), expect=1)["problems"]
    assert problem["what"] == "is damaged" and problem["names"]
    third = ("restore", "--from", str(target), "--data", str(drill.folder / "third"))
    refused = _refused(*third)
    assert "is damaged in the backup" in refused and any(name in refused for name in problem["names"])
    largest.unlink()
    assert "not whole" in _refused(*third)


def test_an_object_that_the_store_lost_is_named_and_the_rest_is_saved(drill: Drill) -> None:
    target = drill.folder / "lacking"
    with embedded_place(drill.second) as place:
        lost = next(key for key in drill.objects if key.startswith("datasets/"))
        place.store.delete(lost)
    refused = _refused("backup", "--to", str(target), "--data", str(drill.second))
    assert "could not be saved" in refused and lost in refused
    refused = _refused("restore", "--from", str(target), "--data", str(drill.folder / "third"))
    assert "--allow-missing" in refused and lost in refused
    restored = _json("restore", "--objects-only", "--data", str(drill.second))  # from the whole one
    assert restored["written"] == 1
    assert _objects(drill.second)[lost] == drill.objects[lost]


def _config(steps: int) -> dict[str, Any]:
    return {**_TRAINING, "maxSteps": steps, "epochs": 100, "outputModel": "tuned"}


def _paused(client: Client) -> JobView:
    """A training that was paused in its midst; one that was too quick is made longer."""
    for steps in (300, 1200, 4800):
        job = client.jobs.submit("paused", _config(steps))
        _until(partial(_is_past, client, job.id, 5))
        client.jobs.control(job.id, "pause")
        _until(partial(_is, client, job.id, "paused", "completed"))
        if (found := client.jobs.get(job.id)).status == "paused":
            return found
    raise AssertionError("every training was over before it could be paused")


def _running(client: Client) -> JobView:
    job = client.jobs.submit("running", _config(10_000))
    _until(partial(_is, client, job.id, "training"))
    return client.jobs.get(job.id)


def _is(client: Client, job_id: str, *statuses: str) -> bool:
    return client.jobs.get(job_id).status in statuses


def _is_past(client: Client, job_id: str, step: int) -> bool:
    return (client.jobs.get(job_id).progress.step or 0) > step


def _listed(client: Client) -> tuple[list[Any], list[Any]]:
    models = [version for model in client.models.list().items for version in client.models.versions(model.name).items]
    datasets = client.datasets.versions("rows").items
    return [one.model_dump(mode="json") for one in models], [one.model_dump(mode="json") for one in datasets]


def _jobs(client: Client) -> dict[str, tuple[str, Any]]:
    return {job.id: (job.status, job.name) for job in client.jobs.list().items}


def _losses(client: Client, job_id: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in client.jobs.metrics(job_id, name="loss").points]


def _objects(data: Path) -> dict[str, str]:
    """Key -> sha256 of every object that a row names, as the store gives it, but for logs and what runs."""
    with embedded_place(data) as place:
        keys = [found.key for found in place.store.list("") if found.key.startswith(("datasets/", "blobs/"))]
        return {key: hashlib.sha256(place.store.get(key)).hexdigest() for key in keys}


def _generation(data: Path, job_id: str) -> int:
    with embedded_place(data) as place, psycopg.connect(place.superuser_url, dbname=place.database) as connection:
        row = connection.execute("SELECT generation FROM gateway.jobs WHERE id = %s", [job_id]).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def _up(command: Kargah, data: Path) -> Iterator[None]:
    command.run("up", "--detach", "--data", str(data), "--port", command.url.rpartition(":")[2])
    try:
        yield
    finally:
        command.run("down", "--data", str(data))


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kargah.cli.main", *arguments]


def _json(*arguments: str, expect: int = 0) -> Any:
    """What the command prints, in this process: an interpreter for each would cost a second."""
    return json.loads(_run(*arguments, "--json", expect=expect).stdout)


def _run(*arguments: str, expect: int = 0) -> Result:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == expect, (arguments, done.output, done.exception)
    return done


def _refused(*arguments: str) -> str:
    return " ".join(_run(*arguments, expect=1).stderr.split())


def _kill_when(drill: Drill, file: Path, *arguments: str) -> None:
    """SIGKILL once `file` is there."""
    with subprocess.Popen(_command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _until(lambda: file.exists() or process.poll() is not None, pause=0.005)
        process.send_signal(signal.SIGKILL)
    assert file.exists(), f"{arguments} had ended before it could be killed"


def _until(check: Callable[[], bool], pause: float = 0.05) -> None:
    deadline = time.monotonic() + _SECONDS
    while not check():
        assert time.monotonic() < deadline
        time.sleep(pause)
