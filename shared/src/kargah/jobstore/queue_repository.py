"""The queue as a whole: what a job gets when it starts to wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import func

from kargah.domain.queue_policy import rank


def queue_changes(priority: int, *, delay_seconds: float = 0.0) -> dict[str, Any]:
    """The columns of `jobs` to set whenever a job is queued (anew): `queued_at`, `rank`.

    A job with a delay is not given out before it is over, and ranks by the moment when it is.
    """
    delay = max(0.0, delay_seconds)
    queued_epoch = func.extract("epoch", func.now()) + delay
    return {
        "queued_at": func.now() + timedelta(seconds=delay),
        "rank": queued_epoch + rank(0.0, priority),
    }
