"""API keys: `kgh_<id>_<secret>`. The id finds the row, of the secret only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

KEY_PREFIX = "kgh_"
REFRESH_PREFIX = "kgr_"
_FORM = re.compile(r"^(?:kgh|kgr)_(?P<id>[0-9a-f]{16})_(?P<secret>[A-Za-z0-9_-]{43})$")


@dataclass(frozen=True, slots=True)
class NewKey:
    """`text` is shown once; `id` and `digest` are kept."""

    id: str
    text: str
    digest: bytes


def new_key(prefix: str = KEY_PREFIX, key_id: str | None = None) -> NewKey:
    """A key with 256 random bits; of the same id when one is given."""
    key_id, secret = key_id or secrets.token_hex(8), secrets.token_urlsafe(32)
    return NewKey(key_id, f"{prefix}{key_id}_{secret}", digest_of(secret))


def split_key(text: str, prefix: str = KEY_PREFIX) -> tuple[str, str] | None:
    """Id and secret of what has the form of a key."""
    match = _FORM.fullmatch(text)
    return (match["id"], match["secret"]) if match and text.startswith(prefix) else None


def digest_of(secret: str) -> bytes:
    """What is kept of a key. The secret is random, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()


def is_right(secret: str, digest: bytes) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(digest_of(secret), digest)
