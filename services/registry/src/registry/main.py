"""`python -m registry.main`."""

from __future__ import annotations

from kargah.web.serve import serve
from registry.app import make_app
from registry.config import RegistrySettings


def main() -> None:
    """Serve until SIGTERM."""
    settings = RegistrySettings()
    serve("registry", lambda: make_app(settings), settings)


if __name__ == "__main__":
    main()
