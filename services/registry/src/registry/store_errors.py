"""The object store's silence as the error that the API knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kargah.domain.errors import Unavailable
from kargah.ports.object_store import StoreUnavailable


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise Unavailable where the store did not answer; other errors pass."""
    try:
        yield
    except StoreUnavailable as error:
        raise Unavailable("The object store does not answer now.", hint="Try again in a moment.") from error
