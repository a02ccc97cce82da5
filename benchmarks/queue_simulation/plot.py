"""The plot of a run, drawn as SVG by hand: few lines of code, and text that scales."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT = 860, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 34, 36
_COLOURS = ("#2563eb", "#dc2626", "#6b7280", "#059669")
_STYLE = "font-family: sans-serif; font-size: 12px"


@dataclass(frozen=True)
class Line:
    """A named series of (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One chart; y begins at 0, or is logarithmic from 1."""

    title: str
    x: str
    lines: Sequence[Line]
    logarithmic: bool = False


def svg(panels: Sequence[Panel]) -> str:
    """The panels, one below the other."""
    height = _HEIGHT * len(panels)
    body = "".join(_panel(panel, _HEIGHT * place) for place, panel in enumerate(panels))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" style="{_STYLE}">'
    return f'{head}<rect width="100%" height="100%" fill="white"/>{body}</svg>\n'


def thinned(points: Sequence[tuple[float, float]], most: int = 400) -> list[tuple[float, float]]:
    """At most `most` of the points, evenly, the highest of each stretch: peaks stay."""
    step = max(1, -(-len(points) // most))
    return [max(points[at : at + step], key=lambda point: point[1]) for at in range(0, len(points), step)]


def _panel(panel: Panel, top: float) -> str:
    widest = max(x for line in panel.lines for x, _ in line.points) or 1.0
    highest = max(y for line in panel.lines for _, y in line.points) or 1.0
    ceiling = _ceiling(highest, panel.logarithmic)
    parts = [_text(_LEFT, top + 16, panel.title, weight="bold")]
    for value in _marks(ceiling, panel.logarithmic):
        y = top + _y(value, ceiling, panel.logarithmic)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#e5e7eb"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{value:,.0f}", anchor="end"))
    for mark in _steps(widest):
        x = _LEFT + mark / widest * (_WIDTH - _LEFT - _RIGHT)
        parts.append(_text(x, top + _HEIGHT - _BOTTOM + 16, f"{mark:g}", anchor="middle"))
    parts.append(_text(_WIDTH / 2, top + _HEIGHT - 6, panel.x, anchor="middle"))
    for place, line in enumerate(panel.lines):
        parts.append(_polyline(line, widest, ceiling, panel.logarithmic, top, _COLOURS[place % len(_COLOURS)]))
        x = _WIDTH - _RIGHT - 170 * (len(panel.lines) - place) + 40
        parts.append(f'<path d="M{x} {top + 12}h18" stroke="{_COLOURS[place % len(_COLOURS)]}" stroke-width="3"/>')
        parts.append(_text(x + 23, top + 16, line.name))
    return "".join(parts)


def _polyline(line: Line, widest: float, ceiling: float, logarithmic: bool, top: float, colour: str) -> str:
    spots = " ".join(
        f"{_LEFT + x / widest * (_WIDTH - _LEFT - _RIGHT):.1f},{top + _y(y, ceiling, logarithmic):.1f}"
        for x, y in line.points
    )
    return f'<polyline points="{spots}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _y(value: float, ceiling: float, logarithmic: bool) -> float:
    height = _HEIGHT - _TOP - _BOTTOM
    share = _log(value) / _log(ceiling) if logarithmic else value / ceiling
    return _TOP + height * (1 - share)


def _log(value: float) -> float:
    """Whatever is below 1 lies on the axis."""
    return math.log10(max(1.0, value))


def _ceiling(highest: float, logarithmic: bool) -> float:
    """A round number at or above it."""
    size = 1.0
    while size * 10 <= highest:
        size *= 10
    if logarithmic:
        return size * 10
    return next(size * factor for factor in (1, 2, 4, 5, 8, 10) if size * factor >= highest)


def _marks(ceiling: float, logarithmic: bool) -> list[float]:
    if not logarithmic:
        return [ceiling * share / 4 for share in range(5)]
    return [10.0**power for power in range(int(_log(ceiling)) + 1)]


def _steps(widest: float) -> list[float]:
    """Five to ten round numbers up to `widest`."""
    step = _ceiling(widest / 10, logarithmic=False) if widest >= 10 else widest / 5
    return [step * count for count in range(int(widest / step) + 1)]


def _text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="#111827"'
    return f"<text {place}>{words}</text>"
