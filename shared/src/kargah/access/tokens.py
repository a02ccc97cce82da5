"""Signed tokens: between the services, and for people's sessions. One algorithm, a short life, every claim required."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import jwt

from kargah.access.principal import Principal
from kargah.access.roles import Role

SERVICES = "kargah-services"
SESSIONS = "kargah-sessions"
DOWNLOADS = "kargah-downloads"
SERVICE_SECONDS = 300
SESSION_SECONDS = 900
DOWNLOAD_SECONDS = 300
_ALGORITHM = "HS256"
_REQUIRED = ["exp", "iat", "aud", "sub"]
_LEEWAY_SECONDS = 10  # clocks of several machines


class BadToken(Exception):
    """Not a token of that kind, or one that has expired; the message says which."""


def mint_service_token(secret: str, principal: Principal) -> str:
    """What a service shows another when it asks on behalf of `principal`; good for five minutes."""
    claims = {
        "sub": principal.subject,
        "name": principal.name,
        "role": principal.role.value if principal.role is not None else None,
        "project": principal.project,
        "platform": principal.platform,
    }
    return _mint(secret, SERVICES, SERVICE_SECONDS, claims)


def read_service_token(secret: str, token: str) -> Principal:
    """The principal that another service vouches for. Raises BadToken."""
    claims = _read(secret, SERVICES, token)
    try:
        role = None if claims["role"] is None else Role(claims["role"])
        return Principal(
            _text(claims["sub"]), _text(claims["name"]), role, _text(claims["project"]), claims["platform"] is True
        )
    except (KeyError, ValueError) as error:
        raise BadToken("The token lacks a claim.") from error


def mint_session_token(secret: str, user_id: str, session_id: str) -> str:
    """What a person who has logged in shows; good for a quarter of an hour."""
    return _mint(secret, SESSIONS, SESSION_SECONDS, {"sub": user_id, "sid": session_id})


def read_session_token(secret: str, token: str) -> tuple[str, str]:
    """The user's id and the session's. Raises BadToken."""
    claims = _read(secret, SESSIONS, token)
    try:
        return _text(claims["sub"]), _text(claims["sid"])
    except (KeyError, ValueError) as error:
        raise BadToken("The token lacks a claim.") from error


def mint_download_token(secret: str, principal: Principal, project: str, address: str) -> str:
    """What lets anybody begin to fetch what is at `address` of `project`; good for five minutes."""
    return _mint(
        secret, DOWNLOADS, DOWNLOAD_SECONDS, {"sub": principal.subject, "project": project, "address": address}
    )


def read_download_token(secret: str, token: str, address: str) -> tuple[str, str]:
    """The subject that it was given to, and the project. Raises BadToken, for one of another address too."""
    claims = _read(secret, DOWNLOADS, token)
    if claims.get("address") != address:
        raise BadToken("The token is for another address.")
    try:
        return _text(claims["sub"]), _text(claims["project"])
    except (KeyError, ValueError) as error:
        raise BadToken("The token lacks a claim.") from error


def _mint(secret: str, audience: str, seconds: int, claims: Mapping[str, Any]) -> str:
    now = int(time.time())
    return jwt.encode({**claims, "aud": audience, "iat": now, "exp": now + seconds}, secret, algorithm=_ALGORITHM)


def _read(secret: str, audience: str, token: str) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            secret,
            algorithms=[_ALGORITHM],
            audience=audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": _REQUIRED, "strict_aud": True},
        )
    except jwt.ExpiredSignatureError as error:
        raise BadToken("The token has expired.") from error
    except (jwt.InvalidTokenError, ValueError) as error:
        raise BadToken("The token is not valid.") from error


def _text(claim: object) -> str:
    if not isinstance(claim, str):
        raise ValueError("a claim is no text")
    return claim
