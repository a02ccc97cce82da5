"""Requests that are no HTTP, or beyond the server's bounds, never reach the app: the server answers them itself.

gunicorn does so in HTML. Here its answer goes out as the problem document that every other error is.
"""

from __future__ import annotations

import socket
from http import HTTPStatus
from typing import Any

from kargah.contracts.problem import Problem

LONGEST_REQUEST_LINE = 8190
"""The most that gunicorn allows: a thousand Persian letters, quoted, are six thousand bytes."""

_DETAILS = {
    HTTPStatus.REQUEST_URI_TOO_LONG: f"The address with its query is over {LONGEST_REQUEST_LINE:,} bytes.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers are too many or too long.",
    HTTPStatus.NOT_IMPLEMENTED: "The transfer coding is not known here.",
}


class ProblemSocket:
    """A client's connection on which gunicorn's `write_error` writes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def sendall(self, data: bytes) -> None:
        """Send the problem that the status of `data`, a whole answer, stands for."""
        self._connection.sendall(problem_answer(HTTPStatus(int(data.split(b" ", 2)[1]))))


def problem_answer(status: HTTPStatus) -> bytes:
    """A whole HTTP answer."""
    detail = _DETAILS.get(status, "The request could not be read.")
    problem = Problem(title=status.phrase, status=int(status), code=status.name.lower(), detail=detail)
    body = problem.model_dump_json(by_alias=True, exclude_none=True).encode()
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
