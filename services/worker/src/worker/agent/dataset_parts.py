"""A large file for the dataset service: sent to the object store in parts, checked while nobody's request waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import httpx

from kargah.clients.part_sender import StoreUnreachable
from kargah.clients.transport import ApiError, Transport, Unreachable, is_away
from kargah.clients.upload_in_parts import Stage, UploadInParts
from kargah.contracts.datasets import DatasetVersionView
from kargah.domain.errors import Unavailable
from worker.agent.background import Aborted
from worker.agent.refusals import PeerRefused, told

PARTS_FROM = 16 << 20
"""Bytes from which a file is sent in parts."""
_TIMEOUT = 60.0
_HINT = "The job is tried again."


def send_in_parts(
    datasets_url: str,
    path: Path,
    wanted: Mapping[str, str],
    check: Callable[[int], None],
    auth: httpx.Auth | None = None,
) -> DatasetVersionView | None:
    """The version that holds the rows; None when the store's address for clients cannot be reached from here.

    `wanted`: name, sha256, and perhaps format and map. The sha256 is what another attempt, on whichever worker, goes on
    by. `check` may raise Aborted: then the upload is given up. Raises PeerRefused, Unavailable.
    """

    def watch(_stage: Stage, _done: int, _total: int) -> None:
        check(0)

    transport = Transport(datasets_url, _TIMEOUT, auth=auth)
    upload = UploadInParts(transport, path, dict(wanted), watch)
    try:
        return upload.send()
    except StoreUnreachable:
        upload.give_up()
        return None
    except Aborted:
        with suppress(ApiError, Unreachable):
            upload.give_up()
        raise
    except (ApiError, Unreachable) as error:
        raise _failure(error) from error
    finally:
        transport.close()


def _failure(error: ApiError | Unreachable) -> PeerRefused | Unavailable:
    """An upload that is gone was given up by an earlier attempt that ended late: the next one begins anew."""
    if isinstance(error, Unreachable) or is_away(error) or error.problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(f"The dataset service does not answer: {error}", hint=_HINT)
    if error.problem.status == HTTPStatus.NOT_FOUND:
        return Unavailable(f"The upload was given up meanwhile: {error}", hint=_HINT)
    return PeerRefused(error.problem.status, told(error.problem))
