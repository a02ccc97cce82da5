"""The archive of a bundle: a tar, written and read forward, a piece at a time."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, BinaryIO

from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.keys import PrivateKey, PublicKey, signer_among
from kargah.clients.bundles.manifest import (
    BLOBS,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    SIGNATURE,
    Manifest,
    read_manifest,
)

CHUNK = 1 << 20
_BLOB = re.compile(rf"{BLOBS}([0-9a-f]{{64}})")
_MAX_SIGNATURE_BYTES = 4096
OpenBlob = Callable[[str], AbstractContextManager[Iterator[bytes]]]


def write_archive(stream: BinaryIO, manifest: Manifest, key: PrivateKey, open_blob: OpenBlob) -> None:
    """The manifest and its signature come first, so that a reader knows at once what it may expect.

    Raises BundleRefused when a blob is not what its sha256 says.
    """
    data = manifest.encoded()
    signature = {"key": key.public.text().strip(), "signature": key.sign(data).hex()}
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, MANIFEST, data)
        _add(archive, SIGNATURE, json.dumps(signature).encode())
        for sha256, size in manifest.blobs.items():
            with open_blob(sha256) as chunks:
                archive.addfile(_member(BLOBS + sha256, size), _Verified(chunks, sha256, size))


class ArchiveReader:
    """`manifest` is signed by `signer` when this has been made; then `blobs()` goes through the rest, once."""

    def __init__(self, archive: tarfile.TarFile, trusted: Iterable[PublicKey]) -> None:
        """Raises BundleRefused for what is no bundle, or of nobody who is trusted."""
        self._members = _members(archive)
        self._archive = archive
        self.manifest_bytes = self._small(MANIFEST, MAX_MANIFEST_BYTES)
        signature = _signature(self._small(SIGNATURE, _MAX_SIGNATURE_BYTES))
        signer = signer_among(trusted, signature, self.manifest_bytes)
        if signer is None:
            raise BundleRefused(
                "not_trusted",
                "The bundle is not signed by a key that is trusted here, or was changed after it was signed.",
                "Get the maker's public key by a safe way, and name it: --trust FILE (or KARGAH_BUNDLE_KEYS).",
            )
        self.signer = signer
        self.manifest = read_manifest(self.manifest_bytes)

    def blobs(self) -> Iterator[tuple[str, int, Iterator[bytes]]]:
        """sha256, size and content of each; the content must be read to its end, where it is verified.

        Raises BundleRefused for anything that the manifest does not announce, or announces otherwise.
        """
        left = dict(self.manifest.blobs)
        for member in self._members:
            match = _BLOB.fullmatch(member.name)
            if match is None or not member.isreg() or left.pop(match[1], None) != member.size:
                raise BundleRefused("unexpected_member", f"{member.name[:200]!r} has no place in this bundle.")
            content = self._archive.extractfile(member)
            assert content is not None  # a regular member has one
            yield match[1], member.size, verified(_pieces(content), match[1])
        if left:
            raise BundleRefused("incomplete", f"The bundle ends too early: {len(left)} of its files are missing.")

    def _small(self, name: str, limit: int) -> bytes:
        member = next(self._members, None)
        if member is None or member.name != name or not member.isreg() or member.size > limit:
            raise BundleRefused("no_bundle", f"This is no bundle: {name} is not where it should be.")
        content = self._archive.extractfile(member)
        assert content is not None
        return content.read()


def open_archive(path: Path) -> tarfile.TarFile:
    """To be read forward. Raises BundleRefused, OSError."""
    try:
        return tarfile.open(path, mode="r|")
    except (tarfile.TarError, ValueError) as error:
        raise BundleRefused("no_bundle", f"{path} is no bundle: {error}") from error


def verified(chunks: Iterable[bytes], sha256: str) -> Iterator[bytes]:
    """Passes them on. Raises BundleRefused at the end unless they have that sha256."""
    found = hashlib.sha256()
    for chunk in chunks:
        found.update(chunk)
        yield chunk
    if found.hexdigest() != sha256:
        raise BundleRefused("wrong_hash", f"A file of the bundle is not what its sha256 says ({sha256[:12]}…).")


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    try:
        yield from archive
    except (tarfile.TarError, EOFError, ValueError) as error:  # ValueError: numbers that are none in a pax header
        raise BundleRefused("damaged", f"The archive is damaged: {error}") from error


def _pieces(content: IO[bytes]) -> Iterator[bytes]:
    try:
        while chunk := content.read(CHUNK):
            yield chunk
    except (tarfile.TarError, EOFError) as error:
        raise BundleRefused("damaged", f"The archive is damaged: {error}") from error


def _signature(data: bytes) -> bytes:
    try:
        return bytes.fromhex(json.loads(data)["signature"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleRefused("no_bundle", "The bundle's signature cannot be read.") from error


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    archive.addfile(_member(name, len(data)), io.BytesIO(data))


def _member(name: str, size: int) -> tarfile.TarInfo:
    """Without owner or time: equal bundles are equal files."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o444
    return member


class _Verified(io.RawIOBase):
    """What tarfile reads from: as many bytes as were announced, with the sha256 that was announced."""

    def __init__(self, chunks: Iterable[bytes], sha256: str, size: int) -> None:
        super().__init__()
        self._chunks = verified(chunks, sha256)
        self._rest = b""
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        while len(self._rest) < wanted and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        data, self._rest = self._rest[:wanted], self._rest[wanted:]
        self._left -= len(data)
        if not self._left:
            self._end()
        return data

    def _end(self) -> None:
        if self._rest or any(self._chunks):
            raise BundleRefused("wrong_size", "A file is longer than it was announced.")
