"""Ed25519 keys of those who make bundles, and signatures over a bundle's manifest."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from kargah.clients.bundles.errors import BundleRefused

_WORD = "kargah-ed25519"
_CURVE = "ed25519"
_RAW_BYTES = 32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`raw` is 32 bytes; `owner` what its file says of whose it is."""

    raw: bytes
    owner: str = ""

    @property
    def id(self) -> str:
        """Short, for people to compare."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def text(self) -> str:
        """One line, as the file of a public key holds it."""
        return f"{_WORD} {base64.b64encode(self.raw).decode()} {self.owner}".strip() + "\n"

    def verifies(self, signature: bytes, data: bytes) -> bool:
        try:
            eddsa.new(eddsa.import_public_key(self.raw), "rfc8032").verify(data, signature)
        except ValueError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What signs. Its file is for its owner alone."""

    seed: bytes
    owner: str = ""

    @property
    def public(self) -> PublicKey:
        return PublicKey(self._key().public_key().export_key(format="raw"), self.owner)

    def sign(self, data: bytes) -> bytes:
        signature: bytes = eddsa.new(self._key(), "rfc8032").sign(data)
        return signature

    def _key(self) -> ECC.EccKey:
        return ECC.construct(curve=_CURVE, seed=self.seed)


def generate(path: Path, owner: str) -> PrivateKey:
    """A new key pair in `path` (mode 0600) and `path.pub`. Raises FileExistsError: no key is ever overwritten."""
    key = PrivateKey(os.urandom(_RAW_BYTES), owner)
    _write(path, f"{_WORD}-private {base64.b64encode(key.seed).decode()} {owner}".strip() + "\n", 0o600)
    _write(path.with_name(path.name + ".pub"), key.public.text(), 0o644)
    return key


def read_private(path: Path) -> PrivateKey:
    """Raises BundleRefused for a file that holds none, OSError."""
    raw, owner = _parse(path.read_text(encoding="utf-8"), f"{_WORD}-private", str(path))
    return PrivateKey(raw, owner)


def read_public(path: Path) -> list[PublicKey]:
    """The keys in a file, one a line; empty lines and those that begin with # are passed over."""
    lines = path.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if line.strip() and not line.startswith("#")]
    return [PublicKey(*_parse(line, _WORD, str(path))) for line in told]


def signer_among(trusted: Iterable[PublicKey], signature: bytes, data: bytes) -> PublicKey | None:
    """Whose signature it is."""
    return next((key for key in trusted if key.verifies(signature, data)), None)


def _parse(line: str, word: str, where: str) -> tuple[bytes, str]:
    parts = line.strip().split(maxsplit=2)
    try:
        raw = base64.b64decode(parts[1], validate=True) if len(parts) > 1 and parts[0] == word else b""
    except binascii.Error:
        raw = b""
    if len(raw) != _RAW_BYTES:
        raise BundleRefused("bad_key", f"{where} holds no key of the form `{word} BASE64 [owner]`.")
    return raw, parts[2] if len(parts) > 2 else ""


def _write(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
