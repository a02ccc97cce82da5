"""What of its owner's environment an embedded stack takes over."""

from __future__ import annotations

import pytest

from kargah.embedded.config import inherited_environment


def test_a_stack_is_told_where_imports_may_come_from_and_nothing_of_another_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {"KARGAH_IMPORT_HOSTS": '["data.example.org"]', "KARGAH_IMPORT_MAX_BYTES": "1000", "HTTPS_PROXY": "http://p"}
    for name, value in told.items() | {("KARGAH_DATABASE_URL", "postgresql://other"), ("KARGAH_PORT", "1")}:
        monkeypatch.setenv(name, value)
    inherited = inherited_environment()
    assert told.items() <= inherited.items()
    assert not {"KARGAH_DATABASE_URL", "KARGAH_PORT"} & inherited.keys()
