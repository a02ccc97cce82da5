"""Which objects the rows name. A restored row without its object would be a promise that nobody can keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kargah.backup.database import Rows

# Where sha256s of objects stand. A test compares them with the columns that there are.
DATASETS = "datasets/"
BLOBS = "blobs/"
_DATASETS = """
    SELECT sha256 FROM dataset_svc.dataset_versions UNION SELECT source_sha256 FROM dataset_svc.dataset_versions
    UNION SELECT splits_sha256 FROM dataset_svc.dataset_versions WHERE splits_sha256 IS NOT NULL
    UNION SELECT unnest(split_files) FROM dataset_svc.dataset_versions
"""
# A mirrored repository names files that it may not have fetched yet, and fetches again.
_BLOBS = """
    SELECT sha256 FROM registry.version_files
    UNION SELECT file.sha256 FROM registry.commit_files file JOIN registry.repositories repository
      ON repository.id = file.repository_id WHERE repository.mirrored_from IS NULL
"""
_MIRRORED = """
    SELECT DISTINCT file.sha256 FROM registry.commit_files file JOIN registry.repositories repository
      ON repository.id = file.repository_id WHERE repository.mirrored_from IS NOT NULL AND file.sha256 <> ''
"""
_COUNTS = {
    "jobs": "SELECT count(*) FROM gateway.jobs",
    "checkpoints": "SELECT count(*) FROM gateway.checkpoints",
    "datasets": "SELECT count(*) FROM dataset_svc.datasets",
    "models": "SELECT count(*) FROM registry.models",
}
_MADE_BY_PEOPLE = ("gateway.jobs", "dataset_svc.datasets", "registry.models", "registry.repositories")


@dataclass(frozen=True)
class Names:
    """Keys. `needed`: what rows cannot do without; `wanted`: saved where it is there; `checkpoints`: prefixes, under
    which a manifest names the files."""

    needed: frozenset[str] = field(default_factory=frozenset)
    wanted: frozenset[str] = field(default_factory=frozenset)
    checkpoints: frozenset[str] = field(default_factory=frozenset)

    def need(self, key: str) -> bool:
        """Whether rows cannot do without the object."""
        return key in self.needed or any(map(key.startswith, self.checkpoints))


def names_in(connection: Rows) -> Names:
    """As the transaction sees them."""
    logs = {f"jobs/{job}/log.txt" for job in _column(connection, "SELECT id FROM gateway.jobs")}
    return Names(
        needed=frozenset(
            {DATASETS + digest for digest in _column(connection, _DATASETS)}
            | {BLOBS + digest for digest in _column(connection, _BLOBS)}
        ),
        wanted=frozenset({BLOBS + digest for digest in _column(connection, _MIRRORED)} | logs),
        checkpoints=frozenset(_column(connection, "SELECT prefix FROM gateway.checkpoints")),
    )


def counts_in(connection: Rows) -> Mapping[str, int]:
    """How much of everything there is, for people who look for the right backup."""
    return {name: int(_column(connection, statement)[0]) for name, statement in _COUNTS.items()}


def is_empty(connection: Rows) -> bool:
    """Whether nobody has made anything yet; also of a database without tables."""
    for table in _MADE_BY_PEOPLE:
        exists = _column(connection, f"SELECT to_regclass('{table}') IS NOT NULL")[0]
        if exists == "True" and _column(connection, f"SELECT EXISTS (SELECT FROM {table})")[0] == "True":
            return False
    return True


def _column(connection: Rows, statement: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(statement.encode()).fetchall()]
