"""`python -m tests.soak.broken_gateway`: the gateway without its reconciler. For negative controls only."""

from __future__ import annotations

from gateway import main
from gateway.reconciler import Reconciler


def _never(_reconciler: Reconciler) -> None:
    """Starts no thread."""


if __name__ == "__main__":
    Reconciler.start = Reconciler.stop = _never  # type: ignore[assignment]
    main.main()
