"""Kargah (کارگاه): a self-hosted fine-tuning platform. `from kargah import Client` is the public SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kargah.clients.client import Client

__all__ = ["Client", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load the client on first use, so that services importing `kargah.domain` do not pay for httpx."""
    if name == "Client":
        from kargah.clients.client import Client

        return Client
    raise AttributeError(f"module 'kargah' has no attribute {name!r}")
