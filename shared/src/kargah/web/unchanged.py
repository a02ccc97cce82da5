"""Conditional GETs: who has an answer already asks whether it still holds."""

from __future__ import annotations

from collections.abc import Callable

from flask import Request, Response

from kargah.web.route import Reply


def unless_known(
    request: Request, tag_now: Callable[[], str | None], answer: Callable[[], Reply | Response]
) -> Reply | Response:
    """304 where the client has the answer that `tag_now()`, an id, stands for; else `answer()`, which carries `etag`.

    Without a condition `tag_now` is not asked.
    """
    if not request.if_none_match:
        return answer()
    tag = tag_now()
    if tag is None or not request.if_none_match.contains_weak(tag):
        return answer()
    response = Response(status=304, headers=etag(tag))
    del response.headers["content-type"]
    return response


def etag(tag: str) -> dict[str, str]:
    """The header; weak, for what is beside the point may differ."""
    return {"etag": f'W/"{tag}"'}
