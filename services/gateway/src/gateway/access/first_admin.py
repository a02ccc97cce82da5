"""The first admin: made of the password that the gateway is started with, where there are no users yet."""

from __future__ import annotations

from gateway.access import users_repository
from kargah.access import passwords
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.domain.ids import new_id
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
NAME = "admin"


class FirstAdmin:
    """`password` None: none is made, and without any user nobody can come in."""

    def __init__(self, engine: Engine, password: str | None) -> None:
        self._engine = engine
        self._password = password
        self._done = False

    def ensure(self) -> None:
        """Make `admin` if there is no user at all. Safe to repeat, and from several gateways at once."""
        if self._done:
            return
        with UnitOfWork(self._engine) as tx:
            there = users_repository.anybody_there(tx.connection)
        if not there and self._password is None:
            _log.warning("there are no users: start the gateway once with KARGAH_ADMIN_PASSWORD or ..._FILE")
            return
        if not there and self._password is not None:
            hashed = passwords.hash_password(self._password)
            with UnitOfWork(self._engine) as tx:
                if users_repository.add_first_user(tx.connection, new_id("usr"), NAME, hashed):
                    _log.info("the first admin was made", user=NAME)
        self._done = True

    def try_ensure(self) -> None:
        """At the start, when the database may be away yet: then the first login does it."""
        try:
            self.ensure()
        except Unavailable as error:
            _log.warning("whether there are users is not known yet", error=error.message)
