"""The minio client's and urllib3's errors as the two that the port knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError

from kargah.ports.object_store import ObjectMissing, StoreUnavailable
from kargah.telemetry.logging import mask_text

_MISSING = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchUpload"})


@contextmanager
def store_errors(key: str) -> Iterator[None]:
    """Raise `ObjectMissing` or `StoreUnavailable`; errors of the caller's own stream pass as they are."""
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise ObjectMissing(key) from error
        raise StoreUnavailable(f"the object store refused {key!r}: {error.code}: {error.message}") from error
    except (MinioException, HTTPError) as error:
        raise StoreUnavailable(f"the object store does not answer for {key!r}: {mask_text(str(error))}") from error
