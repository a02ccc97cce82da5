"""Addresses that a browser follows, which cannot say who asks: signed, each for one thing and for five minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from kargah.access.principal import current_principal
from kargah.access.tokens import DOWNLOAD_SECONDS, BadToken, mint_download_token, read_download_token
from kargah.contracts.checkpoints import DownloadLink
from kargah.domain.errors import Forbidden
from kargah.domain.scope import current_project
from kargah.web.access import act_for_project

MayStillRead = Callable[[str, str], bool]
"""Whether a subject may read a project now."""


class SignedLinks:
    """Safe to share between threads."""

    def __init__(self, secret: str | None, may_still_read: MayStillRead) -> None:
        """`secret`: what links are signed with; None where nobody must log in."""
        self._secret = secret
        self._may_still_read = may_still_read

    def link(self, thing: str, plain: str, signed: str) -> DownloadLink:
        """To `thing`, which no other thing is called: `plain` where nobody must log in, else `signed`, an address that
        ends in the name of a query's parameter and `=`."""
        if self._secret is None:
            return DownloadLink(url=plain)
        signature = mint_download_token(self._secret, current_principal(), current_project(), thing)
        expires = datetime.now(UTC) + timedelta(seconds=DOWNLOAD_SECONDS)
        return DownloadLink(url=signed + signature, expires_at=expires)

    def enter(self, thing: str, signature: str) -> None:
        """The rest of the request works for the project of `thing`. Raises Forbidden for a link to another thing, one
        that has expired, and one that was given to somebody who may not read the project any more."""
        try:
            if self._secret is None:
                raise BadToken("No links are signed here.")
            subject, project = read_download_token(self._secret, signature, thing)
            if not self._may_still_read(subject, project):
                raise BadToken("It was given to somebody who may not read this any more.")
        except BadToken as error:
            raise Forbidden("The link is damaged or has expired.", hint="Ask for a new one.") from error
        act_for_project(project)
