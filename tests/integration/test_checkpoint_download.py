"""A checkpoint comes out as it was stored: by the SDK, the command line, and as an archive; or it is told why not."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from safetensors.numpy import load, load_file, save
from typer.testing import CliRunner

from gateway.app import build
from gateway.config import GatewaySettings
from kargah import Client
from kargah.adapters.minio_store import MinioStore
from kargah.cli.main import app
from kargah.clients.transport import ApiError
from kargah.contracts.checkpoints import MANIFEST, Manifest
from kargah.contracts.runs import FileEntry
from kargah.jobstore import attempt_repository
from kargah.jobstore.values import NewCheckpoint
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.jobs import JobBench, job_bench
from kargah.testing.serving import served
from kargah.testing.waiting import wait_until
from registry.testing.bench import registry_bench

WEIGHTS = {"layer.weight": np.arange(6_000_000, dtype=np.float32)}  # 24 MB: more than sockets hold
LONG = "/".join(["folder" * 10] * 3) + "/شناسه.json"
FILES = {"state.json": b'{"step": 7}', "weights.safetensors": save(WEIGHTS), "empty.bin": b"", LONG: b"{}"}
NOWHERE = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Place:
    """A gateway and a registry on one store; `http` asks the gateway, `address` is the checkpoint's."""

    http: httpx.Client
    url: str
    store: MinioStore
    bench: JobBench
    job_id: str
    checkpoint_id: str

    @property
    def address(self) -> str:
        return f"/api/jobs/{self.job_id}/checkpoints/{self.checkpoint_id}"

    @property
    def prefix(self) -> str:
        return prefix_of(self.job_id, 7)

    def download(self, folder: Path, **options: Any) -> tuple[Path, ...]:
        with Client(self.url) as client:
            return client.jobs.download_checkpoint(self.job_id, folder, **options)


@pytest.fixture
def place(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[Place]:
    url = database_url_for("gateway")
    with (
        registry_bench(database_url_for("registry"), object_store) as registry,
        job_bench(url) as bench,
        served(registry.registry.app) as registry_url,
    ):
        settings = GatewaySettings(
            database_url=url, registry_url=registry_url, datasets_url=NOWHERE, inference_url=NOWHERE, threads=8
        )
        gateway = build(settings)
        job_id = bench.running().job_id
        checkpoint_id = stored(object_store, bench, job_id, 7)
        with served(gateway.app) as at, httpx.Client(base_url=at, timeout=20) as http:
            yield Place(http, at, object_store, bench, job_id, checkpoint_id)
        for close in gateway.closing:
            close()


def prefix_of(job_id: str, step: int) -> str:
    return f"jobs/{job_id}/checkpoints/{step:09d}-1/"


def stored(store: MinioStore, bench: JobBench, job_id: str, step: int) -> str:
    """A checkpoint as a worker stores it; its id."""
    prefix, entries = prefix_of(job_id, step), []
    for path, data in FILES.items():
        store.put(prefix + path, data)
        entries.append(FileEntry(path=path, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
    manifest = Manifest(job_id=job_id, step=step, generation=1, epoch=0.5, files=entries)
    store.put(prefix + MANIFEST, manifest.model_dump_json().encode())
    size = sum(map(len, FILES.values()))
    new = NewCheckpoint(step=step, epoch=0.5, size_bytes=size, reason="interval", prefix=prefix)
    return bench.do(attempt_repository.commit_checkpoint, job_id, 1, new)


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def damage(place: Place, path: str) -> None:
    data = bytearray(FILES[path])
    data[-1] ^= 1
    place.store.put(place.prefix + path, bytes(data))


def test_the_files_are_told_and_sent_one_by_one(place: Place) -> None:
    told = place.http.get(f"{place.address}/files").json()
    assert told["checkpoint"]["step"] == 7
    assert {file["path"]: (file["sizeBytes"], file["sha256"]) for file in told["files"]} == {
        path: (len(data), hashlib.sha256(data).hexdigest()) for path, data in FILES.items()
    }
    for path, data in FILES.items():
        sent = place.http.get(f"{place.address}/files/{path}")
        assert (sent.status_code, sent.content, sent.headers["content-length"]) == (200, data, str(len(data)))
        assert place.http.get(f"/api/train/{place.address[5:]}/files/{path}").content == data
    etag = sent.headers["etag"]
    assert place.http.get(f"{place.address}/files/{LONG}", headers={"if-none-match": etag}).status_code == 304
    part = place.http.get(f"{place.address}/files/weights.safetensors", headers={"range": "bytes=5-99"})
    assert (part.status_code, part.content) == (206, FILES["weights.safetensors"][5:100])
    assert place.http.get(f"{place.address}/files/{MANIFEST}").status_code == 404


def test_the_archive_holds_what_is_stored_and_its_weights_load(place: Place) -> None:
    head = place.http.head(f"{place.address}/archive")
    sent = place.http.get(f"{place.address}/archive")
    assert len(sent.content) == int(sent.headers["content-length"]) == int(head.headers["content-length"])
    assert (sent.headers["content-type"], head.content) == ("application/x-tar", b"")
    assert f"{place.job_id}-step-7.tar" in sent.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(sent.content)) as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    assert members == {f"{place.job_id}-step-7/{path}": data for path, data in FILES.items()}
    weights = load(members[f"{place.job_id}-step-7/weights.safetensors"])
    assert np.array_equal(weights["layer.weight"], WEIGHTS["layer.weight"])


def test_a_damaged_file_breaks_the_archive_off(place: Place) -> None:
    damage(place, "weights.safetensors")
    with pytest.raises(httpx.RemoteProtocolError):
        place.http.get(f"{place.address}/archive")


def test_the_sdk_writes_a_folder_whose_weights_load(place: Place, tmp_path: Path) -> None:
    counts: list[int] = []
    paths = place.download(tmp_path / "out", on_bytes=counts.append)
    assert content(tmp_path / "out") == FILES and set(paths) == {tmp_path / "out" / path for path in FILES}
    assert sum(counts) == sum(map(len, FILES.values()))
    weights = load_file(tmp_path / "out" / "weights.safetensors")
    assert np.array_equal(weights["layer.weight"], WEIGHTS["layer.weight"])
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    with pytest.raises(FileExistsError):
        place.download(tmp_path / "out")


@pytest.mark.parametrize("kept", [0, 1, 20_000_000, len(FILES["weights.safetensors"])])
def test_a_download_goes_on_where_it_broke_off(place: Place, tmp_path: Path, kept: int) -> None:
    draft = tmp_path / f".out-{place.checkpoint_id}.part"
    draft.mkdir()
    (draft / "weights.safetensors").write_bytes(FILES["weights.safetensors"][:kept])
    place.store.put(place.prefix + "weights.safetensors", bytes(kept) + FILES["weights.safetensors"][kept:])
    place.download(tmp_path / "out")  # what was there already is not read again
    assert content(tmp_path / "out") == FILES


def test_a_damaged_file_never_becomes_a_folder(place: Place, tmp_path: Path) -> None:
    damage(place, "weights.safetensors")
    with pytest.raises(OSError, match="arrived damaged"):
        place.download(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    place.store.put(place.prefix + "weights.safetensors", FILES["weights.safetensors"])
    place.download(tmp_path / "out")
    assert content(tmp_path / "out") == FILES


def test_the_command_line_takes_a_step(place: Place, tmp_path: Path) -> None:
    stored(place.store, place.bench, place.job_id, 9)

    def kargah(*words: str) -> Any:
        return CliRunner().invoke(app, ["--url", place.url, "download", place.job_id, *words, "--json"])

    assert json.loads(kargah(str(tmp_path / "first"), "--step", "7").stdout)["checkpoint"] == place.checkpoint_id
    assert json.loads(kargah(str(tmp_path / "last")).stdout)["step"] == 9
    assert content(tmp_path / "first") == content(tmp_path / "last") == FILES
    assert kargah(str(tmp_path / "none"), "--step", "8").exit_code == 1
    assert kargah(str(tmp_path / "last")).exit_code == 1, "a folder that is there is left alone"


def test_what_was_removed_is_told_from_what_never_was(place: Place) -> None:
    unknown = place.http.get(f"/api/jobs/{place.job_id}/checkpoints/ckpt_none/archive")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    place.bench.do(attempt_repository.drop_checkpoint, place.job_id, 1, place.checkpoint_id, "superseded")
    for what in ("archive", "files", "files/state.json"):
        gone = place.http.get(f"{place.address}/{what}")
        assert (gone.status_code, gone.json()["code"]) == (410, "gone")
        assert "step 7" in gone.json()["detail"] and "pinned" in gone.json()["hint"]
    with Client(place.url) as client, pytest.raises(LookupError):
        client.jobs.furthest_checkpoint(place.job_id)


@pytest.mark.parametrize("lost", [MANIFEST, "state.json"])
def test_objects_that_are_no_longer_there_are_told(place: Place, tmp_path: Path, lost: str) -> None:
    place.store.delete(place.prefix + lost)
    assert place.http.get(f"{place.address}/archive").status_code == 410
    with pytest.raises(ApiError) as told:
        place.download(tmp_path / "out")
    assert told.value.problem.status == 410


@pytest.mark.parametrize("manifest", [b"", b"{", b'{"job_id": "other"}'])
def test_a_damaged_manifest_is_told(place: Place, manifest: bytes) -> None:
    place.store.put(place.prefix + MANIFEST, manifest)
    assert place.http.get(f"{place.address}/files").status_code == 410


def test_downloads_leave_threads_for_the_others(place: Place) -> None:
    """Two of eight threads: whoever comes third is told when to come back."""
    with (
        place.http.stream("GET", f"{place.address}/archive"),
        place.http.stream("GET", f"{place.address}/files/weights.safetensors"),
    ):
        busy = place.http.get(f"{place.address}/archive")
        assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "busy", "5")
        assert place.http.get(f"{place.address}/files").status_code == 200
    wait_until(lambda: place.http.get(f"{place.address}/files/state.json").status_code == 200)


def test_where_nobody_logs_in_the_link_is_the_archives_own(place: Place) -> None:
    link = place.http.post(f"{place.address}/link").json()
    assert link == {"url": f"{place.address}/archive", "expiresAt": None}
    assert place.http.get(f"{place.address}/signed-archive?signature=x").status_code == 403
