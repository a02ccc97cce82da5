"""Figures over many rows: how long they are, what is learnt of them, what is lost."""

from __future__ import annotations

import numpy as np

from kargah.contracts.tokens import LengthBucket, Lengths, TokenFigures
from worker.inference.tokens.persian import PersianCount
from worker.inference.tokens.states import TokenCounts, count
from worker.trainer.items import Traced
from worker.trainer.reading import Reading

_FIRST_BUCKET = 16


class Figures:
    """Add rows, then ask for the figures; four numbers are kept for each row."""

    def __init__(self, reading: Reading, unknown_id: int | None) -> None:
        self._reading = reading
        self._persian = PersianCount(unknown_id)
        self._counts: list[TokenCounts] = []

    def add(self, traced: Traced) -> None:
        self._counts.append(count(traced, self._reading))
        self._persian.add(traced)

    @property
    def rows(self) -> int:
        return len(self._counts)

    def summary(self, asked: int, rows_in_version: int) -> TokenFigures:
        """At least one row must have been added."""
        tokens, trained, cut, cut_trained = (
            np.array([getattr(each, name) for each in self._counts], dtype=np.int64)
            for name in ("tokens", "trained", "cut", "cut_trained")
        )
        return TokenFigures(
            rows=self.rows,
            asked=asked,
            rows_in_version=rows_in_version,
            tokens=int(tokens.sum()),
            trained_tokens=int(trained.sum()),
            cut_rows=int((cut > 0).sum()),
            cut_tokens=int(cut.sum()),
            cut_trained_tokens=int(cut_trained.sum()),
            untrained_rows=int((trained == 0).sum()),
            lengths=lengths(tokens),
            persian=self._persian.figures(),
        )


def lengths(tokens: np.typing.NDArray[np.int64]) -> Lengths:
    """Of at least one row. A percentile is the length of a row, never a value between two."""
    p50, p95, p99 = (int(value) for value in np.percentile(tokens, (50, 95, 99), method="higher"))
    return Lengths(
        mean=round(float(tokens.mean()), 2),
        p50=p50,
        p95=p95,
        p99=p99,
        max=int(tokens.max()),
        histogram=_buckets(tokens),
    )


def _buckets(tokens: np.typing.NDArray[np.int64]) -> list[LengthBucket]:
    """Up to 16 tokens, up to 32, up to 64 and so on, from the first bucket that has rows to the last."""
    buckets: list[LengthBucket] = []
    most, least = _FIRST_BUCKET, 0
    while least <= tokens.max():
        rows = int(((tokens >= least) & (tokens <= most)).sum())
        if rows or buckets:
            buckets.append(LengthBucket(least=least, most=most, rows=rows))
        least, most = most + 1, most * 2
    return buckets
