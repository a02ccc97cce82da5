"""The loss as a picture, and as a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from worker.trainer.state import Point

_WIDTH, _HEIGHT, _MARGIN = 640, 240, 36
_BARS = "▁▂▃▄▅▆▇█"
_POINTS = 400

Series = list[tuple[float, float]]


def sparkline(history: Sequence[Point], name: str = "loss", width: int = 40) -> str:
    """The metric over the run in `width` characters at most; empty when it was never measured."""
    values = [value for _, value in _thinned(_series(history, name), width)]
    if not values:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((value - low) * scale)] for value in values)


def loss_svg(history: Sequence[Point]) -> str:
    """Training and held-out loss by step, as a self-contained SVG."""
    train, held = _thinned(_series(history, "loss"), _POINTS), _series(history, "eval_loss")
    everything = train + held or [(0.0, 0.0)]
    right = max(step for step, _ in everything) or 1.0
    low, high = min(value for _, value in everything), max(value for _, value in everything)
    span = high - low or 1.0

    def place(series: Series) -> str:
        return " ".join(
            f"{_MARGIN + step / right * (_WIDTH - 2 * _MARGIN):.1f},"
            f"{_HEIGHT - _MARGIN - (value - low) / span * (_HEIGHT - 2 * _MARGIN):.1f}"
            for step, value in series
        )

    label = 'font-family="sans-serif" font-size="11" fill="#666"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            "<title>Loss by step</title>",
            f'<polyline points="{place(train)}" fill="none" stroke="#4c6ef5" stroke-width="1.5"/>',
            f'<polyline points="{place(held)}" fill="none" stroke="#f76707" stroke-width="2"/>',
            f'<text x="4" y="{_MARGIN}" {label}>{high:.3g}</text>',
            f'<text x="4" y="{_HEIGHT - _MARGIN}" {label}>{low:.3g}</text>',
            f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 12}" text-anchor="end" {label}>step {right:.0f}</text>',
            f'<text x="{_MARGIN}" y="16" {label}>loss (blue), held-out loss (orange)</text>',
            "</svg>",
            "",
        ]
    )


def _series(history: Sequence[Point], name: str) -> Series:
    return [(float(point.step), point.values[name]) for point in history if name in point.values]


def _thinned(series: Series, most: int) -> Series:
    """Means over equal stretches, so that no spike is picked or lost by chance."""
    if len(series) <= most:
        return series
    bounds = [len(series) * index // most for index in range(most + 1)]
    parts = [series[begin:end] for begin, end in pairwise(bounds)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]
