"""Worker and dataset service killed at random during imports: nothing half visible, no orphans, every job completes."""

from __future__ import annotations

from pathlib import Path

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from tests.faults.import_kills import SIZES, run


def test_kills_during_imports(
    postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore, tmp_path: Path
) -> None:
    attack, wrong = run(postgres, object_store_server, 1, 5, tmp_path)
    assert wrong == []
    assert attack.killed["worker"] and attack.killed["service"]
    assert len(attack.jobs) >= len(SIZES)
