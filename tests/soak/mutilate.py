"""Damage to checkpoints that lie in the object store: what a failing disk or a torn upload would leave."""

from __future__ import annotations

import io
import json
import random
from dataclasses import dataclass
from typing import Any

from minio import Minio
from minio.error import S3Error

from kargah.embedded.topology import BUCKET
from tests.soak.books import Books

_MANIFEST = "manifest.json"
_NEWEST = """
SELECT id, step, generation, prefix FROM gateway.checkpoints WHERE job_id = %s
ORDER BY step DESC, generation DESC LIMIT %s
"""


@dataclass(frozen=True)
class Damage:
    """What was done to a checkpoint: `how`, to which `file`."""

    checkpoint_id: str
    job_id: str
    step: int
    generation: int
    how: str
    file: str


class Mutilator:
    """Works on the store directly, past its proxy. `pick`, 0 to 1, decides which file and which byte."""

    def __init__(self, client: Minio, books: Books) -> None:
        self._client = client
        self._books = books

    def hurt_newest(self, job_id: str, how: str, both: bool, pick: float) -> list[Damage]:
        """Damage the job's newest checkpoint, or its newest two; empty when it has none by now."""
        found = self._books.rows(_NEWEST, [job_id, 2 if both else 1])
        done = []
        for row in found:
            try:
                file = self._hurt(row[3], how, random.Random(pick))
            except S3Error as error:
                if error.code not in ("NoSuchKey", "NoSuchObject"):  # retention was faster: nothing to hurt
                    raise
                continue
            done.append(Damage(row[0], job_id, row[1], row[2], how, file))
        return done

    def _hurt(self, prefix: str, how: str, rng: random.Random) -> str:
        manifest = json.loads(self._read(prefix + _MANIFEST))
        names = sorted(str(file["path"]) for file in manifest["files"])
        name = rng.choice(names)
        match how:
            case "flip":
                self._write(prefix + name, _flipped(self._read(prefix + name), rng))
            case "truncate":
                data = self._read(prefix + name)
                self._write(prefix + name, data[: rng.randrange(len(data))])
            case "empty":
                self._write(prefix + name, b"")
            case "delete":
                self._read(prefix + name)
                self._client.remove_object(BUCKET, prefix + name)
            case "swap":
                name = self._swap(prefix, names, rng)
            case "tear_manifest":
                name = _MANIFEST
                data = self._read(prefix + name)
                self._write(prefix + name, data[: rng.randrange(len(data))])
            case "other_manifest":
                name = _MANIFEST
                self._write(prefix + name, _of_another(manifest))
        return name

    def _swap(self, prefix: str, names: list[str], rng: random.Random) -> str:
        one, other = rng.sample(names, 2)
        first, second = self._read(prefix + one), self._read(prefix + other)
        self._write(prefix + one, second)
        self._write(prefix + other, first)
        return f"{one} and {other}"

    def _read(self, key: str) -> bytes:
        answer = self._client.get_object(BUCKET, key)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def _write(self, key: str, data: bytes) -> None:
        self._client.put_object(BUCKET, key, io.BytesIO(data), len(data))


def _flipped(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _of_another(manifest: dict[str, Any]) -> bytes:
    """Whole, but of another step."""
    return json.dumps({**manifest, "step": manifest["step"] + 1}).encode()
