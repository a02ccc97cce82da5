"""Backups of a real database and store: rows that change while they are saved, and what a restored database is told."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from psycopg.conninfo import conninfo_to_dict

from kargah.adapters.minio_store import MinioStore
from kargah.backup import keys, saving
from kargah.backup.checking import Check
from kargah.backup.database import connected
from kargah.backup.errors import BackupError, WrongPassword
from kargah.backup.locks import locked
from kargah.backup.place import Place
from kargah.backup.progress import Silent
from kargah.backup.restoring import Restored, Restoring
from kargah.backup.retention import Policy, prune
from kargah.backup.saving import Saving
from kargah.backup.vault import Vault, open_vault
from kargah.db.engine import create_engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import StaleAttempt
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.jobstore import attempt_repository, query_repository
from kargah.testing.fixtures import DatabaseUrlFor

pytestmark = pytest.mark.campaign

_PASSWORD = "only for tests"
_ODD = "تب\tخط\n\\. \\N 'نقل' \\\\ پایان"


@pytest.fixture
def place(postgres: EmbeddedPostgres, database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Place:
    """A migrated database with every role, and a bucket."""
    urls = [database_url_for(owner) for owner in ("worker", "gateway", "dataset-svc", "registry")]
    return Place(postgres.superuser_dsn, str(conninfo_to_dict(urls[0])["dbname"]), object_store)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("target") / "backups"


@pytest.fixture(scope="module")
def vault(target: Path) -> Iterator[Vault]:
    with open_vault(str(target), _PASSWORD, create=True) as vault:
        yield vault


@dataclass
class Meanwhile(Silent):
    """Does something once, at the moment when the snapshot stands and is being dumped."""

    act: Callable[[], None]
    done: list[str] = field(default_factory=list)

    def begin(self, what: str, count: int, size: int) -> None:
        if what == "database":
            self.done.append(what)
            if len(self.done) == 1:
                self.act()


def _rows(place: Place, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connected(place) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def _dataset(place: Place, content: bytes) -> str:
    """A version of a dataset with that content, in rows and in the store; its key."""
    digest = hashlib.sha256(content).hexdigest()
    place.store.put(f"datasets/{digest}", content)
    _rows(place, "INSERT INTO dataset_svc.datasets (id, name) VALUES (%s, %s)", digest[:8], _ODD + digest[:8])
    _rows(
        place,
        "INSERT INTO dataset_svc.dataset_versions (id, dataset_id, number, format, sha256, source_sha256,"
        " source_filename, stats, warnings, index_rows, index_offsets)"
        " VALUES (%s, %s, 1, 'text', %s, %s, 'f', '{}', '[]', '{0}', '{0}')",
        digest[:8], digest[:8], digest, digest,
    )  # fmt: skip
    return f"datasets/{digest}"


def _job(place: Place, job_id: str, status: str, desired: str = "run") -> None:
    active = status in ("preparing", "training", "evaluating")
    _rows(
        place,
        "INSERT INTO gateway.jobs (id, kind, name, status, desired, config, generation, worker, lease_until,"
        " active_since) VALUES (%s, 'train', %s, %s, %s, '{}', 3, 'w', CASE WHEN %s THEN now() + interval '1 hour' END,"
        " CASE WHEN %s THEN now() - interval '1 minute' END)",
        job_id, _ODD, status, desired, active, active,
    )  # fmt: skip
    if active:
        _rows(place, "INSERT INTO gateway.attempts (job_id, generation, worker) VALUES (%s, 3, 'w')", job_id)


def _restored(vault: Vault, place: Place, **given: Any) -> Restored:
    return Restoring(vault, vault.find(None), Silent(), **given).run(place)


def test_every_column_that_may_name_an_object_is_known(place: Place) -> None:
    """A new column with a sha256 or a key belongs into `kargah.backup.names`, or is one of these for a reason."""
    spoken_of = {
        "dataset_svc.dataset_versions": {"sha256", "source_sha256", "splits_sha256", "split_files"},
        "registry.version_files": {"sha256"},
        "registry.commit_files": {"sha256", "git_sha1"},
        "gateway.checkpoints": {"prefix"},
    }
    on_their_way: dict[str, set[str]] = {
        "dataset_svc.dataset_uploads": {
            "sha256",
            "object_key",
            "multipart_id",
            "part_bytes",
            "filename",
        },  # ended by it
        "registry.blobs": {"sha256"},  # what nothing names is collected, or sent again
        "registry.xorb_places": {"sha256", "hash"},  # in blobs that files name
        "registry.xorbs": {"hash"},
        "registry.mirrored": {"sha256"},  # files of repositories that are mirrored
        "registry.holdings": {"hash"},  # who has sent what
    }
    found: dict[str, set[str]] = {}
    for schema, table, column in _rows(
        place,
        "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema IN"
        " ('gateway', 'dataset_svc', 'registry') AND table_name NOT LIKE 'access%%' AND"
        " column_name ~ 'sha|key|prefix|digest|blob|file|object|hash|part'",
    ):
        found.setdefault(f"{schema}.{table}", set()).add(column)
    unknown = {
        f"{table}.{column}"
        for table, columns in found.items()
        for column in columns - spoken_of.get(table, set()) - on_their_way.get(table, set()) - _NO_OBJECTS
    }
    assert unknown == set()


# Commits of repositories, names of files, and what makes a request one.
_NO_OBJECTS = {
    "password_hash",
    "digest",
    "earlier_digest",
    "sha",
    "source_filename",
    "idempotency_key",
    "idempotency_digest",
}


def test_a_restored_database_is_the_same_but_for_what_ran(place: Place, vault: Vault) -> None:
    key = _dataset(place, b"rows of a dataset")
    for job_id, status, desired in (
        ("ran", "training", "run"), ("ran-pausing", "evaluating", "pause"), ("waited", "pending", "run"),
        ("was-paused", "paused", "run"), ("was-done", "completed", "run"),
    ):  # fmt: skip
        _job(place, job_id, status, desired)
    _rows(place, "INSERT INTO gateway.workers (name, kinds) VALUES ('w', '[]')")
    _rows(place, "INSERT INTO gateway.access_users (id, name, password_hash) VALUES ('u', 'u', 'x')")
    _rows(
        place,
        "INSERT INTO gateway.access_sessions (id, user_id, digest, expires_at)"
        " VALUES ('s', 'u', 'x', now() + interval '1d')",
    )
    before = _rows(place, "SELECT id, name, config, rank FROM gateway.jobs ORDER BY id")
    Saving(place, vault, Silent()).run()
    with pytest.raises(BackupError, match="--replace"):
        _restored(vault, place)
    place.store.delete(key)
    _rows(place, "DELETE FROM gateway.jobs")
    _rows(place, "DELETE FROM dataset_svc.datasets")

    restored = _restored(vault, place)
    assert (restored.settled["jobs"], restored.settled["workers"], restored.written) == (2, 1, 1)
    assert place.store.get(key) == b"rows of a dataset"
    assert _rows(place, "SELECT id, name, config, rank FROM gateway.jobs ORDER BY id") == before
    assert dict(_rows(place, "SELECT id, status FROM gateway.jobs")) == {
        "ran": "pending", "ran-pausing": "paused", "waited": "pending", "was-paused": "paused", "was-done": "completed"
    }  # fmt: skip
    assert _rows(place, "SELECT DISTINCT outcome FROM gateway.attempts") == [("restored",)]
    assert _rows(place, "SELECT name FROM gateway.workers") == []
    generations = dict(_rows(place, "SELECT id, generation FROM gateway.jobs"))
    private, public = "gateway.access_users", "gateway.jobs"
    rights = "SELECT has_table_privilege('worker', %s, 'SELECT'), has_table_privilege('worker', %s, 'UPDATE')"
    assert _rows(place, rights, private, public) == [(False, True)]
    assert _rows(place, "SELECT ended_at IS NULL FROM gateway.access_sessions") == [(False,)]
    assert generations.pop("was-done") == 3 and min(generations.values()) > 1_000_000


def test_an_old_worker_is_fenced_off_and_the_services_still_may(
    place: Place, vault: Vault, database_url_for: DatabaseUrlFor
) -> None:
    _job(place, "ran", "training")
    Saving(place, vault, Silent()).run()
    _restored(vault, place, replace=True)
    engine = create_engine(database_url_for("gateway"))
    try:
        with pytest.raises(StaleAttempt), UnitOfWork(engine) as tx:
            attempt_repository.heartbeat(tx.connection, "ran", 3, 15.0)
        with UnitOfWork(engine) as tx:
            assert query_repository.get_job(tx.connection, "ran").status == "pending"
    finally:
        engine.dispose()
    _restored(vault, place, replace=True)  # again, and the attempts between the two are of the past as well


def test_what_is_deleted_while_it_is_saved_does_no_harm(place: Place, vault: Vault) -> None:
    kept, gone = _dataset(place, b"stays"), _dataset(place, b"will be deleted")

    def delete() -> None:
        _rows(place, "DELETE FROM dataset_svc.datasets WHERE id = %s", gone.removeprefix("datasets/")[:8])
        place.store.delete(gone)
        _dataset(place, b"made while it was saved")

    progress = Meanwhile(delete)
    done = Saving(place, vault, progress).run()
    assert done.missing == []
    saved = {one.key for one in vault.contents(done).objects}
    assert (saved, done.absent) == ({kept, gone}, []), "it was sent before it was deleted: the snapshot holds"


def test_a_row_whose_object_is_lost_is_named(place: Place, vault: Vault) -> None:
    kept, lost, damaged = _dataset(place, b"one"), _dataset(place, b"two"), _dataset(place, b"three")
    place.store.delete(lost)
    place.store.put(damaged, b"other")
    done = Saving(place, vault, Silent()).run()
    assert done.missing == sorted([lost, damaged])
    assert [one.key for one in vault.contents(done).objects] == [kept]


def test_what_the_store_lost_since_the_last_backup_is_not_lost(place: Place, vault: Vault) -> None:
    lost = _dataset(place, b"saved in time")
    Saving(place, vault, Silent()).run()
    place.store.delete(lost)
    done = Saving(place, vault, Silent()).run()
    assert (done.missing, done.absent) == ([], [lost])
    _rows(place, "UPDATE dataset_svc.datasets SET name = 'newer'")
    assert _restored(vault, place, objects_only=True).written == 1
    assert place.store.get(lost) == b"saved in time"
    assert _rows(place, "SELECT name FROM dataset_svc.datasets") == [("newer",)]


def test_backups_of_one_second_are_in_the_order_they_were_made(
    place: Place, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    endings = iter(("ffff", "8888", "0000"))
    monkeypatch.setattr(saving, "secrets", SimpleNamespace(token_hex=lambda _size: next(endings)))
    monkeypatch.setattr(saving, "datetime", Clock)
    made = [Saving(place, vault, Silent()).run().id for _ in range(3)]
    assert made == sorted(made, reverse=True), "one second: the ids are in another order"
    assert [one.id for one in vault.backups()][-3:] == made and vault.find(None).id == made[-1]
    for one in made:  # other tests' are older
        vault.forget(one)


class Clock(datetime):
    """A microsecond goes by between two looks, from a second of long after."""

    seen: ClassVar[int] = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        cls.seen += 1
        return datetime(2100, 1, 1, microsecond=cls.seen, tzinfo=tz)


def test_what_appears_and_goes_between_two_looks(place: Place, vault: Vault) -> None:
    """The snapshot names a version whose object went before it could be sent: it is taken again."""
    content = secrets.token_bytes(16)
    gone = f"datasets/{hashlib.sha256(content).hexdigest()}"
    made: list[str] = []

    class Flicker(Silent):
        def begin(self, what: str, count: int, size: int) -> None:
            if what == "objects" and not made:  # after the first look, before the snapshot
                made.append(_dataset(place, content))
                place.store.delete(gone)
            elif what == "database" and len(made) == 1:
                made.append("deleted")
                _rows(place, "DELETE FROM dataset_svc.datasets WHERE id = %s", gone.removeprefix("datasets/")[:8])

    done = Saving(place, vault, Flicker()).run()
    assert (done.missing, made) == ([], [gone, "deleted"])
    assert gone not in {one.key for one in vault.contents(done).objects}


def test_old_backups_go_with_what_only_they_need(place: Place, vault: Vault) -> None:
    for backup in vault.backups():
        vault.forget(backup.id)
    old = _dataset(place, secrets.token_bytes(99))
    first = Saving(place, vault, Silent()).run()
    _rows(place, "DELETE FROM dataset_svc.datasets")
    _dataset(place, b"newer")
    second = Saving(place, vault, Silent()).run()
    assert prune(vault, Policy(), dry_run=True).removed == [first.id]
    assert [one.id for one in vault.backups()] == [first.id, second.id]
    done = prune(vault, Policy())
    assert (done.removed, done.kept) == ([first.id], [second.id])
    assert old.removeprefix("datasets/") not in vault.sizes()
    checked = Check(vault, vault.backups(), Silent(), read=True).run()
    assert checked.problems == [] and checked.files == len(vault.sizes())


def test_who_removes_works_alone(vault: Vault, place: Place) -> None:
    with locked(vault, "backup"), locked(vault, "backup"), pytest.raises(BackupError, match=r"backup on .* works at"):
        prune(vault, Policy())
    with locked(vault, "prune"), pytest.raises(BackupError, match=r"prune on .* works at"):
        Saving(place, vault, Silent()).run()
    vault.write_lock("prune-killed", '{"host": "elsewhere", "at": 1000000000}')
    with locked(vault, "backup"):
        assert [name.partition("-")[0] for name in vault.locks()] == ["backup"]


def test_a_password_can_be_changed(tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    with open_vault(target, "old", create=True) as vault:
        vault.write_lock("backup-x", "{}")
    keys.change_password(target, "old", "new")
    with pytest.raises(WrongPassword), open_vault(target, "old"):
        pass
    with open_vault(target, "new") as vault:
        assert set(vault.locks()) == {"backup-x"}


def test_a_target_is_made_only_where_nothing_else_is(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(BackupError, match="holds other files"), open_vault(str(tmp_path), "any", create=True):
        pass
    with pytest.raises(BackupError, match="no backup"), open_vault(str(tmp_path / "empty"), "any"):
        pass
    with pytest.raises(BackupError, match="didn't find section"), open_vault("no-such-remote:x", "any"):
        pass


def test_a_role_that_does_not_see_every_row_saves_nothing(
    place: Place, vault: Vault, database_url_for: DatabaseUrlFor
) -> None:
    with pytest.raises(BackupError, match="superuser"):
        Saving(Place(database_url_for("gateway"), place.database, place.store), vault, Silent()).run()
    unreachable = Place("postgresql://nobody@127.0.0.1:9/x", "x", place.store)
    with pytest.raises(BackupError, match="does not answer"):
        Saving(unreachable, vault, Silent()).run()


def test_a_restore_that_fails_leaves_the_database_as_it_was(place: Place, vault: Vault) -> None:
    _dataset(place, b"saved")
    Saving(place, vault, Silent()).run()
    _dataset(place, b"made after the backup")
    (piece, *_rest) = vault.contents(vault.find(None)).database
    vault.remove(piece.sha256)
    with pytest.raises(BackupError, match="the database not whole"):
        _restored(vault, place, replace=True)
    assert len(_rows(place, "SELECT 1 FROM dataset_svc.datasets")) == 2
