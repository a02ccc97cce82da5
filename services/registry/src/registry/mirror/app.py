"""The mirror, wired."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from flask import has_request_context, request

from kargah.db.engine import Engine
from kargah.ports.object_store import ObjectStore
from kargah.web.file_answer import Body
from registry.blobs.service import BlobService
from registry.config import RegistrySettings
from registry.hub.revisions import Place
from registry.mirror.arriving import Arriving
from registry.mirror.errors import UpstreamAway
from registry.mirror.fetcher import Fetcher
from registry.mirror.service import Mirror
from registry.mirror.upstream_hub import CHAIN, UpstreamHub
from registry.mirror.values import Wanted
from registry.repos.values import Entry

_MOST_MIRRORS = 8


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The mirror and how its files come in."""

    mirror: Mirror
    fetcher: Fetcher
    arriving: Arriving
    grace: timedelta

    def content(self, place: Place, entry: Entry) -> tuple[str, Body | None]:
        """The sha256 of a file's blob; with what gives its bytes where it has yet to come from the upstream."""
        found = place.repository
        if found.mirrored_from is None:
            return entry.sha256, None
        wanted = Wanted(found.kind, found.name, place.commit.sha, place.path, entry)
        kept = self.fetcher.kept(wanted)
        if kept is not None:
            return kept, None
        if not self.mirror.reaches(found.name):
            raise UpstreamAway(
                f"{place.path[:200]!r} of {found.name!r} is not kept here, and the upstream is not asked for it.",
                hint="KARGAH_MIRROR is off, or the name is not in KARGAH_MIRROR_ONLY.",
            )
        return entry.sha256, lambda start, stop: self.arriving.read(wanted, start, stop)

    def collect(self) -> int:
        """Remove what came of files that nobody went on with."""
        return self.fetcher.collect(self.grace)


def open_mirror(
    engine: Engine,
    store: ObjectStore,
    blobs: BlobService,
    is_ours: Callable[[str, str], bool],
    settings: RegistrySettings,
) -> Mirroring:
    """The mirror of these settings: switched off, it serves what it kept. `is_ours`: whether a name means something of
    this platform that is no repository."""
    own = hashlib.sha256(f"kargah mirror\n{settings.s3_secret_key}\n{settings.s3_bucket}".encode()).hexdigest()[:16]
    token = settings.upstream_token
    secret = token.get_secret_value() if token else None
    upstream = UpstreamHub(settings.upstream_url, secret, lambda: ",".join([*_came_through(), own]))
    fetcher = Fetcher(engine, store, blobs, upstream)
    mirror = Mirror(
        engine,
        upstream,
        lambda: settings.mirror and _may_ask(own),
        settings.mirror_only,
        timedelta(seconds=settings.mirror_fresh_seconds),
        is_ours,
    )
    return Mirroring(mirror, fetcher, Arriving(engine, store, fetcher), settings.blob_grace)


def _came_through() -> list[str]:
    """The registries whose mirrors asked for this, the first one first."""
    told = request.headers.get(CHAIN, "") if has_request_context() else ""
    return [one for one in told.split(",") if one.isalnum() and len(one) <= 64]


def _may_ask(own: str) -> bool:
    """No registry asks itself, by whatever way round."""
    chain = _came_through()
    return own not in chain and len(chain) < _MOST_MIRRORS
