"""Declare an HTTP API once: routes, typed input and output, and from them the OpenAPI document.

api = Api("datasets", "0.1.0")

@api.get("/api/datasets/<path:name>", returns=DatasetView, query=VersionQuery, tags=["datasets"])
def get_dataset(name: str, query: VersionQuery) -> DatasetView: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, Unpack

from flask import Flask

from kargah.access.roles import Permission
from kargah.web.openapi import document
from kargah.web.route import Handler, Reply, Route, RouteOptions

__all__ = ["Api", "Reply"]

AnyHandler = TypeVar("AnyHandler", bound=Handler)


class Decorator(Protocol):
    """Takes a handler of any signature and gives it back unchanged."""

    def __call__(self, handler: AnyHandler, /) -> AnyHandler: ...


class Api:
    """A set of routes under one title. Handlers get their path parameters, `body` and `query` as keyword arguments."""

    def __init__(self, title: str, version: str) -> None:
        self.title = title
        self.version = version
        self.routes: list[Route] = []

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A GET route; HEAD is answered alike unless it has a route of its own."""
        return self.route("GET", path, **options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A HEAD route."""
        return self.route("HEAD", path, **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A POST route."""
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A PUT route."""
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A PATCH route."""
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A DELETE route."""
        return self.route("DELETE", path, **options)

    def route(self, method: str, path: str, **options: Unpack[RouteOptions]) -> Decorator:
        """A route of any method. The handler's name is the operation id; the first line of its docstring the
        summary, unless one is given. Raises `ValueError` when the name is taken."""

        def declare(handler: AnyHandler) -> AnyHandler:
            options.setdefault("summary", (handler.__doc__ or "").strip().partition("\n")[0])
            self._add(Route(method, path, handler.__name__, handler, **options))
            return handler

        return declare

    def register(self, app: Flask) -> None:
        """Add the routes to `app`. HEAD routes come first, or Flask's own HEAD of a GET would win."""
        for route in sorted(self.routes, key=lambda route: route.method != "HEAD"):
            app.add_url_rule(
                route.path,
                endpoint=self._endpoint(route),
                view_func=route.view,
                methods=[route.method],
                provide_automatic_options=False,
            )

    def needs(self) -> dict[str, Permission]:
        """What each route needs, by Flask's endpoint."""
        return {self._endpoint(route): route.needed for route in self.routes}

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of this API alone."""
        return openapi_of([self])

    def _endpoint(self, route: Route) -> str:
        return f"{self.title}.{route.name}"

    def _add(self, route: Route) -> None:
        if any(route.name == other.name for other in self.routes):
            raise ValueError(f"two handlers of {self.title} are called {route.name}")
        self.routes.append(route)


def openapi_of(apis: Sequence[Api]) -> dict[str, Any]:
    """One document for all of `apis`; title and version are the first one's."""
    return document(apis[0].title, apis[0].version, [route for api in apis for route in api.routes])
