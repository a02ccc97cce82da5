"""How a service shows another who it is: a token of its own on every request, for the project at hand."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from kargah.access.principal import Principal
from kargah.access.roles import Role
from kargah.access.tokens import mint_service_token
from kargah.domain.scope import current_project


class ServiceAuth(httpx.Auth):
    """For `httpx.Client(auth=...)`. `secret` None: nobody must log in, and nothing is sent. `project` None: whichever
    the code works for at that moment."""

    def __init__(self, secret: str | None, service: str, project: str | None = None) -> None:
        self._secret = secret
        self._service = service
        self._project = project

    def of(self, project: str) -> ServiceAuth:
        """The same service, at work for `project`."""
        return ServiceAuth(self._secret, self._service, project)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if self._secret is not None:
            project = current_project() if self._project is None else self._project
            me = Principal(f"service:{self._service}", self._service, Role.SERVICE, project)
            request.headers["authorization"] = f"Bearer {mint_service_token(self._secret, me)}"
        yield request
