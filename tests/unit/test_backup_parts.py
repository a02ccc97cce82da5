"""Pieces of a dump, what stays of old backups, and how objects are known again."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kargah.adapters.folder_store import FolderStore
from kargah.backup.config import password_in
from kargah.backup.database import chunks, lines_of
from kargah.backup.documents import Piece, SavedObject, Summary
from kargah.backup.errors import BackupError, Damaged
from kargah.backup.names import Names
from kargah.backup.resolving import Resolver, stored
from kargah.backup.retention import Policy, kept
from kargah.backup.vault import verified

_NOW = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)


def test_a_dump_comes_back_and_a_changed_line_changes_few_pieces() -> None:
    rng = random.Random(7)
    lines = [f"{number}\t{rng.getrandbits(400):x}\n".encode() for number in range(80_000)]
    before = list(chunks(lines))
    assert len(before) > 2
    assert list(lines_of(before)) == lines
    lines[40_000] += b"with more\n"
    lines.insert(10, b"a new row\n")
    after = list(chunks(lines))
    assert len(set(after) - set(before)) <= 3
    assert b"".join(lines_of(after)) == b"".join(lines)


def test_a_dump_of_nothing_and_one_without_a_place_to_cut() -> None:
    assert list(chunks([])) == []
    same = [b"x" * (1 << 20) + b"\n"] * 20
    assert [len(zlib.decompress(piece)) >> 20 for piece in chunks(same)] == [16, 4]


def test_what_is_not_the_piece_ends_with_damaged() -> None:
    piece = Piece(sha256=hashlib.sha256(b"right").hexdigest(), size=5)
    assert b"".join(verified([b"ri", b"ght"], piece)) == b"right"
    for wrong in ([b"wrong"], [b"righ"], [b"right", b"!"], []):
        with pytest.raises(Damaged):
            list(verified(wrong, piece))


def _backup(age: timedelta, *missing: str) -> Summary:
    taken = _NOW - age
    return Summary(
        id=f"{taken:%Y%m%dT%H%M%SZ}",
        created_at=taken,
        kargah="0",
        postgres="18",
        contents_sha256="0" * 64,
        objects=0,
        objects_bytes=0,
        database_bytes=0,
        added=0,
        added_bytes=0,
        missing=list(missing),
    )


def test_the_last_of_each_day_week_and_month_stay() -> None:
    every_six_hours = [_backup(timedelta(hours=6 * number)) for number in range(400)][::-1]

    def days(policy: Policy) -> list[str]:
        return sorted(kept(every_six_hours, policy))

    assert days(Policy(last=2)) == [one.id for one in every_six_hours[-2:]]
    assert [found[:8] for found in days(Policy(daily=4))] == ["20261120", "20261121", "20261122", "20261123"]
    assert [found[:11] for found in days(Policy(daily=3))][:2] == ["20261121T20", "20261122T20"]
    assert [found[:8] for found in days(Policy(weekly=3))] == ["20261115", "20261122", "20261123"]
    assert [found[:8] for found in days(Policy(monthly=3))] == ["20260930", "20261031", "20261123"]
    assert len(days(Policy(last=1, daily=7, weekly=4, monthly=3))) == 7 + 2 + 2


def test_a_backup_that_lacks_objects_stands_in_for_no_other() -> None:
    whole, lacking = _backup(timedelta(days=2)), _backup(timedelta(days=0), "blobs/x")
    assert kept([whole, lacking], Policy(last=1)) == {whole.id, lacking.id}
    assert kept([], Policy()) == set()


def test_objects_are_resolved_with_as_few_reads_as_can_be(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    content = {name: f"content of {name}".encode() for name in ("rows", "blob", "weights", "log")}
    digest = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    manifest = {"files": [{"path": "a/weights", "sha256": digest["weights"]}, {"path": "gone", "sha256": "0" * 64}]}
    store.put(f"datasets/{digest['rows']}", content["rows"])
    store.put("jobs/j/checkpoints/1-1/manifest.json", json.dumps(manifest).encode())
    store.put("jobs/j/checkpoints/1-1/a/weights", content["weights"])
    store.put("jobs/j/log.txt", content["log"])
    names = Names(
        needed=frozenset({f"datasets/{digest['rows']}", f"blobs/{digest['blob']}"}),
        wanted=frozenset({"jobs/j/log.txt", "jobs/other/log.txt"}),
        checkpoints=frozenset({"jobs/j/checkpoints/1-1/"}),
    )
    resolver = Resolver(store, stored(store), {}, {})
    found = {one.key: one for one in resolver.resolve(names)}
    assert {key: one.sha256 for key, one in found.items() if not key.endswith("manifest.json")} == {
        f"datasets/{digest['rows']}": digest["rows"],
        "jobs/j/checkpoints/1-1/a/weights": digest["weights"],
        "jobs/j/log.txt": digest["log"],
    }
    assert resolver.missing == {f"blobs/{digest['blob']}", "jobs/j/checkpoints/1-1/gone"}

    known = {"jobs/j/log.txt": found["jobs/j/log.txt"].model_copy(update={"sha256": "f" * 64})}
    again = {one.key: one for one in Resolver(store, stored(store), known, {}).resolve(names)}
    assert again["jobs/j/log.txt"].sha256 == "f" * 64, "the same ETag: not read again"
    store.put("jobs/j/log.txt", content["log"] + b" and more")
    again = {one.key: one for one in Resolver(store, stored(store), known, {}).resolve(names)}
    assert again["jobs/j/log.txt"] == SavedObject(
        key="jobs/j/log.txt",
        sha256=hashlib.sha256(content["log"] + b" and more").hexdigest(),
        size=len(content["log"]) + 9,
        etag=again["jobs/j/log.txt"].etag,
    )


def test_a_password_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("گذرواژه\nnot this\n")
    assert password_in(file) == "گذرواژه"
    for unusable in ("", "\nsecond"):
        file.write_text(unusable)
        with pytest.raises(BackupError, match="no password"):
            password_in(file)
    with pytest.raises(BackupError, match="cannot be read"):
        password_in(tmp_path / "absent")
