"""How the items of a step are divided among passes through the model."""

from __future__ import annotations

from collections.abc import Sequence


def group_flat(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Groups of at most `budget` tokens, about equally full, each in ascending length; indices into `lengths`.

    An item longer than the budget is a group of its own. Equal lengths end up side by side, so that their
    attention can be computed together.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    bins = max(1, -(-sum(lengths) // budget))
    groups: list[list[int]] = [[] for _ in range(bins)]
    filled = [0] * bins
    for index in reversed(order):
        place = min(range(len(groups)), key=filled.__getitem__)
        if groups[place] and filled[place] + lengths[index] > budget:
            groups.append([])
            filled.append(0)
            place = len(groups) - 1
        groups[place].append(index)
        filled[place] += lengths[index]
    return [group[::-1] for group in groups if group]


def group_padded(lengths: Sequence[int], budget: int, overhead: int) -> list[list[int]]:
    """Groups of like length whose padded size is at most `budget`, with the least padding.

    `overhead` is what one more pass costs, in tokens: small groups pad less, and cost more passes. The best division
    of the sorted lengths is found exactly.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        choices = [(best[end - 1][0] + longest + overhead, end - 1)]
        for begin in range(end - 2, -1, -1):
            padded = longest * (end - begin)
            if padded > budget:
                break
            choices.append((best[begin][0] + padded + overhead, begin))
        best.append(min(choices))
    groups: list[list[int]] = []
    end = len(order)
    while end > 0:
        begin = best[end][1]
        groups.append(order[begin:end])
        end = begin
    return groups[::-1]
