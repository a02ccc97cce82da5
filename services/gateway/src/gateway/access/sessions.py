"""Log in, stay logged in, log out."""

from __future__ import annotations

from datetime import timedelta

from gateway.access import sessions_repository, users_repository
from gateway.access.first_admin import FirstAdmin
from gateway.access.limits import LoginLimits
from kargah.access import api_keys, passwords
from kargah.access.principal import Principal, set_principal
from kargah.access.tokens import SESSION_SECONDS, mint_session_token
from kargah.contracts.access import Login, PasswordChange, SessionTokens
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, Invalid, Unauthenticated
from kargah.domain.scope import NOBODY

_LIFE = timedelta(days=14)


class Sessions:
    """`secret` None: nobody logs in here."""

    def __init__(self, engine: Engine, secret: str | None, first: FirstAdmin, limits: LoginLimits) -> None:
        self._engine = engine
        self._limits = limits
        self._secret = secret
        self._first = first

    def login(self, login: Login, address: str) -> SessionTokens:
        """A new session for somebody at `address`. Raises TooMany; Unauthenticated, for whatever reason in the same
        words."""
        secret = self._needed_secret()
        set_principal(Principal("anybody", login.name, None, NOBODY))
        self._limits.take(login.name, address)
        self._first.ensure()
        with UnitOfWork(self._engine) as tx:
            found = users_repository.password_of(tx.connection, login.name)
        if not passwords.is_right(login.password, found[1] if found else None) or found is None:
            raise Unauthenticated("The name or the password is wrong.", hint="An admin can set a new password.")
        set_principal(Principal(f"user:{found[0]}", login.name, None, NOBODY))
        self._limits.forgive(login.name, address)
        key = api_keys.new_key(api_keys.REFRESH_PREFIX)
        with UnitOfWork(self._engine) as tx:
            sessions_repository.begin(tx.connection, key.id, found[0], key.digest, _LIFE)
        return _tokens(secret, found[0], key)

    def refresh(self, token: str) -> SessionTokens:
        """New tokens for the refresh token of the last answer. One that was used before ends the session: somebody else
        has it. Raises Unauthenticated."""
        secret, parts = self._needed_secret(), api_keys.split_key(token, api_keys.REFRESH_PREFIX)
        renewed = self._renew(*parts) if parts is not None else None
        if renewed is None:
            raise Unauthenticated("The session has ended.", hint="Log in again.")
        return _tokens(secret, *renewed)

    def _renew(self, session_id: str, secret: str) -> tuple[str, api_keys.NewKey] | None:
        """The user and the next refresh token; None, and perhaps the end of the session, for a wrong one."""
        with UnitOfWork(self._engine) as tx:
            found = sessions_repository.digests(tx.connection, session_id)
            if found is None or users_repository.person(tx.connection, found[0]) is None:
                return None
            if not api_keys.is_right(secret, found[1]):
                if found[2] is not None and api_keys.is_right(secret, found[2]):
                    sessions_repository.end(tx.connection, session_id)
                return None
            key = api_keys.new_key(api_keys.REFRESH_PREFIX, session_id)
            sessions_repository.renew(tx.connection, session_id, key.digest)
        return found[0], key

    def logout(self, token: str) -> None:
        """End the session of a refresh token; nothing for what is none."""
        parts = api_keys.split_key(token, api_keys.REFRESH_PREFIX)
        if parts is None:
            return
        with UnitOfWork(self._engine) as tx:
            found = sessions_repository.digests(tx.connection, parts[0])
            if found is not None and api_keys.is_right(parts[1], found[1]):
                sessions_repository.end(tx.connection, parts[0])

    def change_password(self, user_id: str | None, name: str, change: PasswordChange) -> None:
        """One's own; all sessions end. Raises Unauthenticated, Invalid, TooMany."""
        self._limits.take(name, f"session of {name}")
        with UnitOfWork(self._engine) as tx:
            found = users_repository.password_of(tx.connection, name) if user_id is not None else None
        if found is None or not passwords.is_right(change.current, found[1]):
            raise Unauthenticated("The password so far is wrong.")
        hashed = checked_hash(change.new, name, "new")
        with UnitOfWork(self._engine) as tx:
            users_repository.set_user(tx.connection, found[0], disabled=None, platform=None, hashed=hashed)

    def _needed_secret(self) -> str:
        if self._secret is None:
            raise Conflict("Nobody logs in here: KARGAH_AUTH is off.", hint="`kargah up --auth` turns it on.")
        return self._secret


def checked_hash(password: str, name: str, field: str) -> str:
    """The hash of a new password. Raises Invalid, naming `field`."""
    if (weakness := passwords.weakness(password, name)) is not None:
        raise Invalid("The password is not accepted.", errors=[FieldError(field, weakness, "weak")])
    return passwords.hash_password(password)


def _tokens(secret: str, user_id: str, key: api_keys.NewKey) -> SessionTokens:
    access = mint_session_token(secret, user_id, key.id)
    return SessionTokens(access_token=access, refresh_token=key.text, expires_in=SESSION_SECONDS)
