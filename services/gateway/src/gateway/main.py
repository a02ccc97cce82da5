"""`python -m gateway.main`: serve until SIGTERM."""

from __future__ import annotations

from flask import Flask

from gateway.app import build
from gateway.config import GatewaySettings
from kargah.web.serve import serve


def main() -> None:
    settings = GatewaySettings()

    def make_app() -> Flask:
        gateway = build(settings)
        gateway.start()
        return gateway.app

    serve("gateway", make_app, settings)


if __name__ == "__main__":
    main()
