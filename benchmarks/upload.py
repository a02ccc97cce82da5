"""Upload and validation of a large JSON-lines file, and what they cost the service in memory.

Beside them, in the same run: a raw PUT of the same file to the same S3, before and after; the fastest plain parsers
over the same file, which check nothing, and the fastest of them over the same object in the same S3.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import orjson
import psutil
import pyarrow.json

from benchmarks.raw_put import raw_put
from benchmarks.report import Row
from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.memory import share_one_heap
from dataset_svc.readers.source import open_source
from kargah.adapters.minio_store import MinioStore
from kargah.clients.client import Client
from kargah.clients.upload_in_parts import Stage, UploadInParts
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service

SIZE_GB = 2.0
_MEMORY_MB = 200.0
_CHUNK = 1 << 20
_SAMPLE = 256 << 20
_TEXTS = 2000


def rows(size_gb: float = SIZE_GB) -> list[Row]:
    """Memory, sending beside a raw PUT, validation beside plain parsers."""
    with tempfile.TemporaryDirectory(prefix="kargah-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        path = write_chat(folder / "chat.jsonl", int(size_gb * 1e9))
        with (
            EmbeddedPostgres(folder / "postgres") as postgres,
            EmbeddedObjectStore(folder / "objects") as server,
            dataset_service(postgres, server, {}) as service,
        ):
            return _measure(path, server, service)


def write_chat(path: Path, size: int) -> Path:
    """Conversations of 200 to 4,000 characters, Persian and English, no two alike."""
    chance = random.Random(1)
    words = ["سلام", "کتاب", "می‌خواهم", "آموزش", "مدل", "زبان", "the", "model", "answers", "with", "care", "داده"]
    texts = [" ".join(chance.choices(words, k=chance.randint(15, 300))) for _ in range(_TEXTS)]
    parts = [json.dumps(text, ensure_ascii=False)[1:] for text in texts]
    with path.open("wb") as file:
        first = 0
        while file.tell() < size:
            lines = []
            for number in range(first, first + 2000):
                asked, said = chance.choice(parts), chance.choice(parts)
                lines.append(
                    f'{{"messages": [{{"role": "user", "content": "{number} {asked}}}, '
                    f'{{"role": "assistant", "content": "{said}}}]}}\n'
                )
            first += 2000
            file.write("".join(lines).encode())
    return path


def write_questions(path: Path, size: int) -> Path:
    """Short questions and answers, Persian and English, no two questions alike."""
    chance = random.Random(2)
    words = ["سلام", "کتاب", "می‌خواهم", "آموزش", "مدل", "زبان", "the", "model", "answers", "with", "care", "داده"]
    texts = [" ".join(chance.choices(words, k=chance.randint(2, 14))) for _ in range(_TEXTS)]
    with path.open("w", encoding="utf-8") as file:
        first = 0
        while file.tell() < size:
            first += 5000
            for number in range(first, first + 5000):
                asked, said = chance.choice(texts), chance.choice(texts)
                file.write(f'{{"question": "{number} {asked}", "answer": "{said}"}}\n')
    return path


def _measure(path: Path, server: EmbeddedObjectStore, service: DatasetService) -> list[Row]:
    megabytes = path.stat().st_size / 1e6
    before = raw_put(path, server, service.store)
    with Memory(_processes(service)) as memory:
        sending, checking = _upload(path, service)
    raw = statistics.mean((before, raw_put(path, server, service.store)))
    from_store = _parsed_from(service.store, path)
    questions = write_questions(path.with_suffix(".short"), _SAMPLE)
    parsed = _validation({"chat rows of 1.8 kB": _sample(path), "questions of 160 bytes": questions})
    note = f"{megabytes:,.0f} MB"
    return [
        Row(
            "upload",
            "peak memory of the service",
            "MB",
            memory.peak,
            "aimed at",
            _MEMORY_MB,
            _MEMORY_MB / memory.peak,
            1.0,
            note,
        ),
        _faster("sending in parts", megabytes / sending, "one raw PUT", megabytes / raw, 0.7, note),
        _faster(
            "validation, in the service: S3 to S3",
            megabytes / checking,
            "pyarrow.json, read from the same S3",
            megabytes / from_store,
            0.5,
            note,
        ),
        *parsed,
        _faster(
            "sent, checked and recorded", megabytes / (sending + checking), "one raw PUT", megabytes / raw, None, ""
        ),
    ]


def _faster(what: str, ours: float, peer: str, theirs: float, goal: float | None, note: str) -> Row:
    return Row("upload", what, "MB/s", ours, peer, theirs, ours / theirs, goal, note)


def _upload(path: Path, service: DatasetService) -> tuple[float, float]:
    """Seconds until all parts are there, and from then until the version is recorded."""
    sent: list[float] = []

    def watch(stage: Stage, done: int, total: int) -> None:
        if stage == "checking" and not sent:
            sent.append(time.perf_counter())

    with Client(service.url) as client:
        began = time.perf_counter()
        UploadInParts(client.transport, path, {"name": "bench"}, watch).send()
        ended = time.perf_counter()
    return sent[0] - began, ended - sent[0]


def _parsed_from(store: MinioStore, path: Path) -> float:
    """Seconds of the fastest parser for the file as an object; it neither checks nor keeps anything."""
    store.put_file("parsed", path)
    began = time.perf_counter()
    with store.open("parsed") as stream:
        for _ in pyarrow.json.open_json(stream):
            pass
    seconds = time.perf_counter() - began
    store.delete("parsed")
    return seconds


def _processes(service: DatasetService) -> list[int]:
    parent = psutil.Process(service.process.pid)
    return [parent.pid, *(child.pid for child in parent.children())]


class Memory:
    """The most that these processes held together, in MB: what they share counts once (PSS), seen twice a second."""

    def __init__(self, processes: list[int]) -> None:
        self.peak = 0.0
        self._processes = processes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, sum(map(_megabytes, self._processes)))


def _megabytes(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(rollup.partition("Pss:")[2].split()[0]) * 1024 / 1e6


def _sample(path: Path) -> Path:
    """The first lines of the file."""
    with path.open("rb") as file:
        data = file.read(_SAMPLE)
    sample = path.with_suffix(".sample")
    sample.write_bytes(data[: data.rindex(b"\n") + 1])
    return sample


def _validation(samples: Mapping[str, Path]) -> list[Row]:
    """MB/s of the readers and checks beside those of plain parsers, the fastest first; all over the same bytes.

    The parsers come before all checks, which take Arrow's own memory pool away, and have the service's heap.
    """
    peers: dict[str, Callable[[Path], Iterable[object]]] = {
        "json, one core": _json,
        "orjson, one core": _orjson,
        "pyarrow.json, all cores": _arrow,
    }
    theirs = [{name: _speed(sample, parse) for name, parse in peers.items()} for sample in samples.values()]
    share_one_heap()
    return [
        row
        for (rows, sample), speeds in zip(samples.items(), theirs, strict=True)
        for row in _beside(_speed(sample, _checked), speeds, rows)
    ]


def _beside(ours: float, theirs: dict[str, float], rows: str) -> list[Row]:
    what, fastest = f"validation, reader and checks alone, {rows}", sorted(theirs, key=lambda name: -theirs[name])
    return [_faster(what, ours, name, theirs[name], None if place else 0.5, "") for place, name in enumerate(fastest)]


def _speed(path: Path, parse: Callable[[Path], Iterable[object]]) -> float:
    """MB/s, the better of two tries: other processes can only slow them down."""
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        for _one in parse(path):
            pass
        seconds.append(time.perf_counter() - began)
    return path.stat().st_size / 1e6 / min(seconds)


def _json(path: Path) -> Iterator[object]:
    with path.open("rb") as file:
        yield from map(json.loads, file)


def _orjson(path: Path) -> Iterator[object]:
    with path.open("rb") as file:
        yield from map(orjson.loads, file)


def _arrow(path: Path) -> Iterator[object]:
    yield from pyarrow.json.open_json(path)


def _checked(path: Path) -> Iterator[object]:
    with path.open("rb", buffering=_CHUNK) as file:
        source = open_source(file, path.name, 1 << 40)
        yield from CheckedRows(source.reader(source.stream, source.start), None, {}).lines()
