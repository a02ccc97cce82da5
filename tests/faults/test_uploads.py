"""The dataset service killed at random during uploads: nothing half visible, nothing acknowledged lost, no orphans."""

from __future__ import annotations

from pathlib import Path

import pytest

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from tests.faults.upload_kills import run


@pytest.mark.parametrize("seed", [1])
def test_kills_during_uploads(
    postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore, tmp_path: Path, seed: int
) -> None:
    ledger, wrong = run(postgres, object_store_server, 4, seed, tmp_path)
    assert ledger.kills == 4
    assert ledger.acknowledged
    assert wrong == []
