"""Logs: one shape for ours and for libraries', and no secret in either."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from kargah.telemetry.logging import configure_logging, get_logger, mask_text


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.contextvars.clear_contextvars()


def _records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_ours_and_the_libraries_share_a_shape(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("gateway", "json")
    structlog.contextvars.bind_contextvars(request_id="req_1")
    get_logger("kargah.x").info("claimed", job_id="job_1")
    logging.getLogger("library").warning("odd %s", "thing")
    ours, theirs = _records(capsys)
    assert ours["event"] == "claimed" and ours["job_id"] == "job_1" and ours["logger"] == "kargah.x"
    assert theirs["event"] == "odd thing"
    for record in (ours, theirs):
        assert (record["service"], record["request_id"]) == ("gateway", "req_1")
        assert str(record["timestamp"]).endswith("Z")


def test_levels_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("gateway", "json", "warning")
    log = get_logger("kargah.x")
    log.info("quiet")
    log.error("loud")
    assert [record["level"] for record in _records(capsys)] == ["error"]


@pytest.mark.parametrize("fmt", ["json", "console"])
def test_secrets_are_masked_everywhere(capsys: pytest.CaptureFixture[str], fmt: str) -> None:
    configure_logging("gateway", "json" if fmt == "json" else "console")
    log = get_logger("kargah.x")
    log.info("opened", url="postgresql://me:hunter2@host/db", s3_secret_key="hunter2", api_key="hunter2")
    log.info("signed http://host/b/k?X-Amz-Signature=hunter2&X-Amz-Credential=hunter2")
    try:
        raise RuntimeError("no route to amqp://me:hunter2@host/")
    except RuntimeError as error:
        log.error("failed", exc_info=error)
    logging.getLogger("library").warning("connecting to %s", "amqp://me:hunter2@host/")
    text = capsys.readouterr().err
    assert text.count("***") >= 6
    assert "RuntimeError" in text
    assert "hunter2" not in text


@given(st.text(max_size=200))
def test_masking_takes_any_text(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("key kgh_0123456789abcdef_s3cret-Key is wrong", "key kgh_0123456789abcdef_*** is wrong"),
        ("kgr_0123456789abcdef_refresh", "kgr_0123456789abcdef_***"),
        ("authorization: Bearer abc.def", "authorization: Bearer ***"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln was sent", "token eyJ*** was sent"),
        ("PUT /hub/api/uploads/aa?size=1&signature=00ff&x=1", "PUT /hub/api/uploads/aa?size=1&signature=***&x=1"),
    ],
)
def test_secrets_of_access_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked
