"""Pushing to a hub: what it gives back is compared, and what it says no to is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.exports.push_model import Push, compare, push_folder
from worker.testing.hub_server import COMMIT, Hub, serving
from worker.testing.notes import Notes
from worker.trainer.errors import Interruption, TrainingError

FILES = {"config.json": b"{}", "model.safetensors": b"w" * 3_000_000, "empty.txt": b""}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(dict(FILES))) as served:
        yield served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def compared(hub: Hub, folder: Path, name: str) -> None:
    push = Push("org/model", "main", True, hub.url)
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    try:
        compare(folder / name, name, COMMIT, push, scratch)
    finally:
        assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", list(FILES))
def test_what_is_the_same_passes(hub: Hub, folder: Path, name: str) -> None:
    compared(hub, folder, name)


def test_other_bytes_are_noticed(hub: Hub, folder: Path) -> None:
    hub.lies["model.safetensors"] = b"x" + FILES["model.safetensors"][1:]
    with pytest.raises(TrainingError) as caught:
        compared(hub, folder, "model.safetensors")
    assert caught.value.code == "wrong_hash" and "model.safetensors" in caught.value.message


def test_a_hub_that_takes_nothing_is_told(hub: Hub, folder: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        push_folder(folder, Push("org/model", "main", True, hub.url), "title", folder, Notes())
    assert caught.value.code == "hub_refused" and hub.url in caught.value.message


def test_a_hub_that_is_away_is_worth_another_try(hub: Hub, folder: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        push_folder(folder, Push("org/model", "main", True, "http://127.0.0.1:1"), "title", folder, Notes())
    assert (caught.value.code, caught.value.permanent) == ("hub_unavailable", False)


def test_the_reporter_can_end_a_push(hub: Hub, folder: Path) -> None:
    with pytest.raises(Interruption):
        push_folder(folder, Push("org/model", "main", True, hub.url), "title", folder, Notes(stop_at=1))
