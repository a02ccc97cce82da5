"""The registry killed while models come and go: nothing half visible, nothing acknowledged lost, no orphan."""

from __future__ import annotations

from pathlib import Path

import pytest

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from tests.faults.registry_kills import run


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
@pytest.mark.parametrize("seed", [1])
def test_kills_while_models_come_and_go(
    postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore, tmp_path: Path, seed: int
) -> None:
    ledger, wrong = run(postgres, object_store_server, 3, seed, tmp_path)
    assert ledger.kills == 3
    assert ledger.acknowledged
    assert wrong == []
