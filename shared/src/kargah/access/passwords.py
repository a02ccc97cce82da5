"""Passwords: kept as argon2id hashes, never as themselves."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 256
# 19 MiB, two passes, one lane: what OWASP names as the least for argon2id.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Of hashes at once: many logins together take neither all cores nor all memory.
_turns = threading.BoundedSemaphore(4)
_COMMON = frozenset(
    {"password", "passw0rd", "qwertyuiop", "letmein", "iloveyou", "administrator", "kargah", "1234567890", "changeme"}
)


def weakness(password: str, name: str = "") -> str | None:
    """What is wrong with a new password of `name`; None for one that is accepted."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        return f"It must have {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters."
    plain = password.lower()
    if len(set(plain)) < 5 or plain.strip("0123456789!?.-_ ") in {*_COMMON, name.lower()}:
        return "It is among the first that anybody would try."
    return None


def hash_password(password: str) -> str:
    """The hash, with its parameters and salt."""
    with _turns:
        return _hasher.hash(password)


def is_right(password: str, hashed: str | None) -> bool:
    """Whether `password` is the one that `hashed` was made of. Takes as long where there is no hash: nobody learns
    from the time which names there are."""
    with _turns:
        try:
            return _hasher.verify(hashed if hashed is not None else _nobodys(), password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


_unused: list[str] = []


def _nobodys() -> str:
    if not _unused:
        _unused.append(_hasher.hash("nobody has this password"))
    return _unused[0]
