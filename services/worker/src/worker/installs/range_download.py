"""Files of a hub's repository, each into a `.part` beside its place that every later try goes on from, also one of
another process. (huggingface_hub begins anew in each process.)"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # re-exported untyped
    build_hf_headers,
    get_session,
    hf_raise_for_status,
)

PART = ".part"
_CHUNK = 1 << 20
_PAUSES = (0.2, 1.0, 3.0, 10.0)
_TIMEOUT = httpx2.Timeout(60.0, connect=10.0)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/\d+")


def download(url: str, target: Path, size_bytes: int, *, token: bool | None = None) -> None:
    """`target` appears once as many bytes are there as were announced; whether they are right is for the caller to see.

    `token` False keeps this machine's token from the server. A connection that breaks is taken up again, as long as
    each few tries bring something. Raises huggingface_hub's errors, httpx2.HTTPError, OSError.
    """
    part = target.with_name(target.name + PART)
    part.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while (have := size_of(part)) != size_bytes or not part.exists():
        try:
            _fetch(url, part, have if have < size_bytes else 0, token)
            failures = failures + 1 if size_of(part) <= have else 0
        except httpx2.TransportError:
            failures = 0 if size_of(part) > have else failures + 1
            if failures > len(_PAUSES):
                raise
        if failures:
            time.sleep(_PAUSES[min(failures, len(_PAUSES)) - 1])
        if failures > len(_PAUSES):
            raise httpx2.ReadError(f"{url} gives {size_of(part)} bytes instead of {size_bytes}")
    part.rename(target)


def _fetch(url: str, part: Path, begin: int, token: bool | None) -> None:
    """From byte `begin` on; from the first where the server does not do ranges."""
    headers: dict[str, Any] = {**build_hf_headers(token=token), "accept-encoding": "identity"}
    if begin:
        headers["range"] = f"bytes={begin}-"
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as answer:
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            return
        if answer.is_error:
            answer.read()
            hf_raise_for_status(answer)
        with part.open("r+b" if begin else "wb") as file:
            file.seek(begin if _begins_at(answer.status_code, answer.headers, begin) else 0)
            file.truncate()
            for chunk in answer.iter_bytes(_CHUNK):
                file.write(chunk)


def _begins_at(status: int, headers: Mapping[str, str], begin: int) -> bool:
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
    return status == HTTPStatus.PARTIAL_CONTENT and match is not None and int(match[1]) == begin


def size_of(path: Path) -> int:
    """Its bytes; 0 where there is no such file."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
