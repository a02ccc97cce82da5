"""Where a request comes from: behind a proxy of ours, what that says."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from flask import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Addresses:
    """`trusted`: networks of the proxies in front, whose X-Forwarded-For counts. Everybody else's is a claim."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def of(self, request: Request) -> str:
        """The first address from the right that no proxy of ours has; `unknown` where the server tells none."""
        told = request.headers.get("x-forwarded-for", "").split(",")
        chain = [part.strip() for part in told if part.strip()] + [request.remote_addr or ""]
        for address in reversed(chain):
            if not self._is_ours(address):
                return _clean(address)
        return _clean(chain[0])

    def _is_ours(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._trusted)


def _clean(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return "unknown"
