"""Which rank trains on which items of a step."""

from __future__ import annotations

from collections.abc import Sequence


def shares(lengths: Sequence[int], ranks: int) -> list[list[int]]:
    """Indices into `lengths` for each rank, ascending, with about equally many tokens: the longest item first, to
    whoever has the fewest. A rank may have none."""
    taken: list[list[int]] = [[] for _ in range(ranks)]
    filled = [0] * ranks
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        rank = min(range(ranks), key=filled.__getitem__)
        taken[rank].append(index)
        filled[rank] += lengths[index]
    return [sorted(share) for share in taken]
