"""How far a download is, and when it will be done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`total` bytes, of which `begun` were there at the moment `since` (seconds of a clock)."""

    total: int
    begun: int
    since: float

    def told(self, have: int, now: float) -> tuple[float, str, float | None]:
        """Percent, a note in megabytes, and the seconds that are left by the pace so far (None until it is known)."""
        came, seconds = have - self.begun, now - self.since
        left = (self.total - have) / (came / seconds) if came > 0 and seconds > 0 else None
        note = f"downloaded {have / 1e6:.1f} of {self.total / 1e6:.1f} MB"
        return 100 * have / max(self.total, 1), note, left
