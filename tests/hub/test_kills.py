"""The registry is killed in the middle of pushes: what was acknowledged is there, and nothing is half-visible."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from pathlib import Path

import httpx

from kargah.testing.waiting import wait_until
from tests.hub.conftest import Hub, start_registry

_ROUNDS = 4
_FILES = 6


def test_a_killed_registry_leaves_nothing_half_visible(hub: Hub, tmp_path: Path) -> None:
    acknowledged: list[int] = []
    for round_ in range(_ROUNDS):
        url, process = start_registry(hub, tmp_path)
        base = f"{url}/hub/api"
        httpx.post(f"{base}/repos/create", json={"name": "kills", "organization": "hostile", "type": "dataset"})
        pusher = threading.Thread(target=_push, args=(base, acknowledged, round_ * 1000))
        with process:
            pusher.start()
            wanted = len(acknowledged) + 2 + round_
            wait_until(lambda wanted=wanted: len(acknowledged) >= wanted, timeout=60)  # type: ignore[misc]
            process.kill()
        pusher.join(60)
        assert not pusher.is_alive()
    tree = httpx.get(f"{hub.registry}/hub/api/datasets/hostile/kills/tree/main?recursive=true").json()
    by_push: dict[int, int] = {}
    for entry in (entry for entry in tree if entry["type"] == "file"):
        number = int(entry["path"].split("/")[0])
        by_push[number] = by_push.get(number, 0) + 1
        content = hub.store.get(f"blobs/{hashlib.sha256(entry['path'].encode()).hexdigest()}")
        assert content.decode() == entry["path"]
    assert set(acknowledged) <= by_push.keys() and set(by_push.values()) == {_FILES}


def _push(base: str, acknowledged: list[int], first: int) -> None:
    """Commit after commit, each of several files, until the registry does not answer any more."""
    number = first
    while True:
        number += 1
        paths = [f"{number}/{index}.txt" for index in range(_FILES)]
        body = "".join(_line(path) for path in paths)
        try:
            answer = httpx.post(f"{base}/datasets/hostile/kills/commit/main", content=body, timeout=30)
        except httpx.TransportError:
            return
        if answer.is_success:
            acknowledged.append(number)


def _line(path: str) -> str:
    value = {"path": path, "content": base64.b64encode(path.encode()).decode(), "encoding": "base64"}
    return json.dumps({"key": "file", "value": value}) + "\n"
