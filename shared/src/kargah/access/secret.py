"""Whether a secret is one: long, not repetitive, and not the sample of some page."""

from __future__ import annotations

LEAST_BYTES = 32
_LEAST_DIFFERENT = 8
_SAMPLES = frozenset(
    {
        "change",
        "example",
        "sample",
        "secret",
        "password",
        "your-",
        "your_",
        "insecure",
        "default",
        "kargah",
        "123456789",
    }
)
HOW = "Make one with `openssl rand -hex 32`."


def weakness(secret: str) -> str | None:
    """What is wrong with `secret`, in words that do not repeat it; None for a good one."""
    if len(secret.encode()) < LEAST_BYTES:
        return f"it has less than {LEAST_BYTES} bytes"
    if len(set(secret)) < _LEAST_DIFFERENT:
        return "it repeats a few characters"
    if any(word in secret.lower() for word in _SAMPLES):
        return "it looks like a sample"
    return None
