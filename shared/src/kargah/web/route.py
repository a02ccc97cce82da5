"""One route of an `Api`: what goes in, what comes out, and the Flask view that enforces both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypedDict

from flask import Response, request
from pydantic import BaseModel

from kargah.access.roles import Permission, needed_by
from kargah.web.body import DEFAULT_BODY_BYTES, PUBLIC_BODY_BYTES, check_path, read_json, read_query

JSON = "application/json"

Handler = Callable[..., Any]


class RouteOptions(TypedDict, total=False):
    """What the decorators of `Api` take besides the path.

    `returns`: the model a handler must return (None: it returns a flask `Response`, or nothing for a 204).
    `needs`: the permission that a caller must have; by default to read, or to write where the method changes things.
    `status`: of success; `other_statuses`: further ones that a `Reply` may carry.
    `body`, `query`: models; the handler gets instances as `body=` and `query=`. `optional_body`: an empty body counts
    as `{}`. `free_query`: the handler reads the query itself, for clients that send more than is known. `body_limit` in
    bytes; by default a mebibyte, and less where anybody may send one. `consumes`, `produces`: content types where they
    are not JSON (documentation only). `streams`: the content type of text that the handler answers with where the
    client asks for that instead of the model. `errors`: the model of what goes wrong, where it is not a Problem.
    """

    returns: type[BaseModel] | None
    needs: Permission
    status: int
    other_statuses: tuple[int, ...]
    body: type[BaseModel] | None
    optional_body: bool
    body_limit: int
    query: type[BaseModel] | None
    free_query: bool
    consumes: str | None
    produces: str
    streams: str | None
    errors: type[BaseModel]
    summary: str
    tags: list[str]


@dataclass(frozen=True, slots=True)
class Reply:
    """A handler's answer where the model alone does not say it: another status, or headers (`location`)."""

    model: BaseModel | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a Flask path and a handler. `name` is the operation id, unique within the document."""

    method: str
    path: str
    name: str
    handler: Handler
    returns: type[BaseModel] | None = None
    status: int = 200
    other_statuses: tuple[int, ...] = ()
    body: type[BaseModel] | None = None
    optional_body: bool = False
    body_limit: int | None = None
    query: type[BaseModel] | None = None
    free_query: bool = False
    consumes: str | None = None
    produces: str = JSON
    streams: str | None = None
    errors: type[BaseModel] | None = None
    summary: str = ""
    tags: list[str] = field(default_factory=list)
    needs: Permission | None = None

    @property
    def needed(self) -> Permission:
        """The permission that a caller must have."""
        return self.needs or needed_by(self.method)

    @property
    def longest_body(self) -> int:
        """Bytes."""
        if self.body_limit is not None:
            return self.body_limit
        return PUBLIC_BODY_BYTES if self.needed is Permission.PUBLIC else DEFAULT_BODY_BYTES

    def view(self, **values: Any) -> Response:
        """What Flask calls: reads the request strictly, calls the handler, checks what it returned."""
        check_path(values)
        query = None if self.free_query else read_query(request, self.query)
        if query is not None:
            values["query"] = query
        if self.body is not None:
            values["body"] = read_json(request, self.body, limit=self.longest_body, optional=self.optional_body)
        return self._answer(self.handler(**values))

    def _answer(self, result: object) -> Response:
        if isinstance(result, Response):
            return result
        reply = result if isinstance(result, Reply) else Reply(self._model(result))
        status = reply.status or self.status
        if status not in (self.status, *self.other_statuses):
            raise TypeError(f"{self.name} answered {status}, which it does not declare")
        response = Response(self._bytes(reply.model), status=status, content_type=JSON)
        if reply.model is None:
            del response.headers["content-type"]
        response.headers.update(reply.headers)
        return response

    def _bytes(self, model: BaseModel | None) -> bytes:
        """A model goes out as JSON in the wire's spelling; only a 204 or a HEAD goes without."""
        if model is None:
            if self.returns is not None and self.method != "HEAD":
                raise TypeError(f"{self.name} returned nothing instead of {self.returns.__name__}")
            return b""
        if self.returns is None or not isinstance(model, self.returns):
            raise TypeError(f"{self.name} returned {type(model).__name__}, which it does not declare")
        return model.model_dump_json(by_alias=True).encode()

    def _model(self, result: object) -> BaseModel | None:
        if result is None or isinstance(result, BaseModel):
            return result
        raise TypeError(f"{self.name} returned {type(result).__name__}: a model, a Reply or a Response is needed")


def phrase(status: int) -> str:
    """`Created` for 201, as the document describes a response."""
    return HTTPStatus(status).phrase
