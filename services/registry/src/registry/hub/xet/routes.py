"""`/hub/xet`: what `hf_xet` uploads to. Files are read from `/resolve/` as ever: nothing is read from here."""

from __future__ import annotations

import hashlib
import hmac
import time

from flask import request
from pydantic import Field

from kargah.access.roles import Permission
from kargah.contracts.base import Wire
from kargah.domain.errors import Forbidden
from kargah.domain.scope import current_project
from kargah.web.access import act_for_project
from kargah.web.api import Api, Reply
from kargah.web.body import read_bytes
from kargah.web.multipart import raw_upload
from kargah.web.route import RouteOptions
from registry.blobs.routes import BINARY
from registry.hub.endpoint import PREFIX, below
from registry.hub.read_routes import REPOSITORY, TAGS
from registry.hub.reader import HubReader
from registry.hub.xet.service import XetStore

_SECONDS = 3600
_XORB_BYTES = 80 << 20
_SHARD_BYTES = 80 << 20


class XetToken(Wire):
    """Where to upload to, with what, and until when (seconds since 1970)."""

    cas_url: str
    access_token: str
    exp: int


class XorbTaken(Wire):
    """Whether the xorb is new."""

    was_inserted: bool = Field(alias="was_inserted")


class ShardTaken(Wire):
    """1: the shard was registered."""

    result: int = 1


def xet_routes(api: Api, reader: HubReader, xet: XetStore, secret: bytes) -> None:
    """Add the routes to `api`."""

    @api.get(
        f"{REPOSITORY}/xet-write-token/<path:revision>",
        returns=XetToken,
        needs=Permission.WRITE,
        free_query=True,
        tags=TAGS,
    )
    def get_xet_token(kind: str, name: str, revision: str) -> Reply:
        """Where and with what token to upload; revisions that are not there yet will be"""
        reader.repository(kind, name)
        token = XetToken(cas_url=below("xet"), access_token=_token(secret), exp=int(time.time()) + _SECONDS)
        headers = {
            "x-xet-cas-url": token.cas_url,
            "x-xet-access-token": token.access_token,
            "x-xet-token-expiration": str(token.exp),
        }
        return Reply(token, headers=headers)

    @api.post(f"{PREFIX}/xet/v1/xorbs/default/<xorb>", **_signed(XorbTaken))
    def upload_xorb(xorb: str) -> XorbTaken:
        """Chunks of files"""
        _check_token(secret)
        return XorbTaken(was_inserted=xet.put_xorb(xorb, raw_upload(request, limit=_XORB_BYTES).stream))

    @api.post(f"{PREFIX}/xet/v1/shards", **_signed(ShardTaken))
    def upload_shard() -> ShardTaken:
        """How files are made of chunks; they are there when this answers"""
        _check_token(secret)
        xet.put_shard(read_bytes(request, _SHARD_BYTES))
        return ShardTaken()


def _signed(returns: type[Wire]) -> RouteOptions:
    """The token that was given out is the right to upload."""
    return {
        "returns": returns,
        "needs": Permission.SIGNED,
        "consumes": BINARY,
        "free_query": True,
        "tags": TAGS,
    }


def _token(secret: bytes) -> str:
    """Good for the project at hand."""
    expires, project = str(int(time.time()) + _SECONDS), current_project()
    return f"{expires}.{_signature(secret, expires, project)}.{project}"


def _signature(secret: bytes, expires: str, project: str) -> str:
    return hmac.new(secret, f"xet\n{expires}\n{project}".encode(), hashlib.sha256).hexdigest()


def _check_token(secret: bytes) -> None:
    """The rest of the request is for the project of the token. Raises Forbidden unless it was given out here and is
    still good."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    expires, _, rest = token.partition(".")
    signature, _, project = rest.partition(".")
    good = hmac.compare_digest(_signature(secret, expires, project).encode(), signature.encode("latin-1"))
    if not good or not expires.isdecimal() or int(expires) < time.time():
        raise Forbidden("The token to upload with is damaged or has expired.", hint="Ask for another.")
    act_for_project(project)
