"""`python -m dataset_svc.main`: serve until SIGTERM."""

from __future__ import annotations

from dataset_svc.app import make_app
from dataset_svc.config import DatasetSettings
from dataset_svc.memory import share_one_heap
from kargah.web.serve import serve


def main() -> None:
    """Read the environment and serve."""
    share_one_heap()
    settings = DatasetSettings()
    serve("dataset-svc", lambda: make_app(settings), settings)


if __name__ == "__main__":
    main()
