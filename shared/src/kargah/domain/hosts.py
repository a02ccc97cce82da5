"""Which host names mean this machine."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address, without a port) can only mean this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def any_https(*urls: str) -> bool:
    """Whether any of these is reached by more than plain HTTP: what `verify` is to be for a client of them that follows
    no redirect. Reading the trusted certificates takes 30 ms of CPU, which a client without TLS need not spend."""
    return not all(url.lower().startswith("http://") for url in urls)
