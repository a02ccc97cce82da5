"""Which addresses a file may be fetched from: hosts on the list, and of those only public ones unless listed too."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from worker.imports.errors import ImportFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SETTING = "KARGAH_IMPORT_HOSTS"
# IPv4-compatible, NAT64, IPv4-translated: the last 32 bits are an IPv4 address.
_WITH_IPV4_LAST = [ipaddress.ip_network(text) for text in ("::/96", "64:ff9b::/96", "::ffff:0:0:0/96")]
_LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """A URL that may be fetched, and the address that its host was found to have: connect there and nowhere else."""

    url: SplitResult
    host: str
    port: int
    address: str


class Allowed:
    """The list. A redirect leads to another URL, which must pass as well."""

    def __init__(self, entries: Sequence[str]) -> None:
        self._networks = [network for entry in entries if (network := _network(entry)) is not None]
        self._names = {entry.lower().rstrip(".") for entry in entries if _network(entry) is None}

    def place(self, url: str, *, resolve: bool = True) -> Place:
        """Where that URL leads. Raises ImportFailed: it is no http(s) URL, carries a password, or leads where nothing
        may be fetched. Without `resolve` (a proxy does that), names alone are judged."""
        parts, host, port = _parsed(url)
        literal = _address(host)
        if literal is None and not self._has_name(host):
            hint = f"an administrator can add it to {_SETTING} on the workers"
            raise ImportFailed("host_not_allowed", f"{host} is not on the list of hosts to import from", hint)
        if literal is not None or not resolve:
            self._check(host, [literal] if literal is not None else [], listed=literal is not None)
            return Place(parts, host, port, str(literal or host))
        addresses = _resolved(host, port)
        self._check(host, addresses, listed=False)
        return Place(parts, host, port, str(addresses[0]))

    def _has_name(self, host: str) -> bool:
        labels = host.split(".")
        wild = (f"*.{'.'.join(labels[first:])}" for first in range(1, len(labels)))
        return host in self._names or any(name in self._names for name in wild)

    def _check(self, host: str, addresses: Sequence[Address], *, listed: bool) -> None:
        """A literal address must be listed itself; a listed name's must be public, or listed."""
        for address in addresses:
            known = any(address in network for network in self._networks if network.version == address.version)
            if not known and (listed or not _is_public(address)):
                hint = f"an administrator can add the address to {_SETTING} on the workers"
                raise ImportFailed("address_not_allowed", _forbidden(host, address), hint)


def _forbidden(host: str, address: Address) -> str:
    itself = host.strip("[]") == str(address)
    return f"the address {address} is not on the list" if itself else f"{host} leads to {address}, not on the list"


def _parsed(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError as error:
        raise ImportFailed("bad_source", f"no URL: {error}") from error
    if parts.scheme not in _PORTS or not host:
        raise ImportFailed("bad_source", "only http:// and https:// can be fetched")
    if parts.username is not None or parts.password is not None:
        raise ImportFailed("bad_source", "the URL carries a user or a password", "jobs are no place for secrets")
    return parts, host, port or _PORTS[parts.scheme]


def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = f"the host {host} is not found: {error}"
        raise ImportFailed("host_not_found", message, "try again later", permanent=False) from error
    addresses = [_address(str(entry[4][0])) for entry in found]
    return [address for address in addresses if address is not None]


def _address(host: str) -> Address | None:
    try:
        found = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_public(address: Address) -> bool:
    """Whether it leads into the internet; what a tunnel or translator on the way makes of it is judged as well."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    if (inner := _inner(address)) is not None:
        return _is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_site_local or address in _LOCAL_NAT64)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if any(address in network for network in _WITH_IPV4_LAST):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.sixtofour


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None
