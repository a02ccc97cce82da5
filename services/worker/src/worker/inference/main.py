"""`python -m worker.inference.main`."""

from __future__ import annotations

from kargah.web.serve import serve
from worker.inference.app import make_app
from worker.inference.config import InferenceSettings, keep_libraries_offline


def main() -> None:
    """Serve until SIGTERM."""
    keep_libraries_offline()
    settings = InferenceSettings()
    serve("inference", lambda: make_app(settings), settings)


if __name__ == "__main__":
    main()
