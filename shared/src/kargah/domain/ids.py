"""Identifiers: a prefix that tells the kind, then 26 Crockford base-32 characters that sort by time."""

from __future__ import annotations

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


def new_id(prefix: str) -> str:
    """A new id such as `job_01k...`: 48 bits of milliseconds and 80 random bits, unguessable and time-ordered."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    digits = [_ALPHABET[(value >> shift) & 31] for shift in range((_LENGTH - 1) * 5, -1, -5)]
    return f"{prefix}_{''.join(digits)}"


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` has the form of an id of that kind; says nothing about existence."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == _LENGTH and all(character in _ALPHABET for character in tail)
