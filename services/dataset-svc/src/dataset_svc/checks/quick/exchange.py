"""What the rows of a block ask and answer, and whether all of them are good."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from dataset_svc.checks.arrays import Flags, Places
from dataset_svc.checks.pieces import Pieces
from dataset_svc.checks.quick.plan import Said, Turns
from dataset_svc.checks.quick.scan import Scanned, Talk
from dataset_svc.checks.quick.texts import speaks, speaks_or_may_be_silent


@dataclass(frozen=True, slots=True)
class Exchanges:
    """One of each row; `verdict` None where nothing is to be agreed on. `labels` in the order in which they are met."""

    asked: Pieces
    answer: Pieces
    verdict: Pieces | None
    labels: Mapping[str, int] = field(default_factory=dict)


def exchanges_of_turns(talk: Talk, names: Turns) -> Exchanges | None:
    """None unless all is good and each conversation ends with the assistant's turn."""
    offsets, last = talk.offsets, talk.offsets[1:] - 1
    if (np.diff(offsets) < 1).any() or not _are_some_of(talk.roles, names.roles).all():
        return None
    if not _are_some_of(talk.roles.at(last), names.assistants).all():
        return None
    if not speaks_or_may_be_silent(talk.texts, _are_some_of(talk.roles, names.silent)):
        return None
    answers = talk.texts.at(last)
    return Exchanges(_before_the_last(talk.texts, offsets), answers, answers)


def _are_some_of(pieces: Pieces, texts: Collection[str]) -> Flags:
    found = np.zeros(len(pieces), np.bool_)
    for text in texts:
        found |= pieces.are(text.encode())
    return found


def _before_the_last(texts: Pieces, offsets: Places) -> Pieces:
    """The texts of each conversation but its last, on lines of their own."""
    if (np.diff(offsets) == 2).all():
        return texts.at(offsets[:-1])
    all_texts = list(texts.each())
    ranges = zip(offsets[:-1].tolist(), (offsets[1:] - 1).tolist(), strict=True)
    return Pieces.of(b"\n".join(all_texts[begin:end]) for begin, end in ranges)


def exchanges_said(scanned: Scanned, said: Said, label: Pieces | None) -> Exchanges | None:
    """None unless all is good. `label`: the labels' texts where there are such."""
    if not all(speaks(scanned.texts[name]) for name in said.texts):
        return None
    asked = _joined([None if name is None else scanned.texts[name] for name in said.asked], said.joint.encode())
    answer = scanned.texts[said.answer]
    if said.label is None:
        return Exchanges(asked, answer, None if said.verdict is None else scanned.texts[said.verdict])
    named = None if label is None else _labels(label)
    return None if named is None else Exchanges(asked, answer, *named)


def _joined(parts: list[Pieces | None], joint: bytes) -> Pieces:
    if len(parts) == 1 and parts[0] is not None:
        return parts[0]
    count = next(len(part) for part in parts if part is not None)
    columns = [[b""] * count if part is None else part.each() for part in parts]
    return Pieces.of(joint.join(texts) for texts in zip(*columns, strict=True))


def _labels(column: Pieces) -> tuple[Pieces, dict[str, int]] | None:
    """Labels as `label_of` writes them, and how often each is met; None where one says nothing."""
    _, firsts, which = np.unique(column.digests(), return_index=True, return_inverse=True)
    labels = [text.decode().strip() for text in column.at(firsts).each()]
    if not all(labels):
        return None
    counts: dict[str, int] = {}
    for place in np.argsort(firsts).tolist():
        counts[labels[place]] = counts.get(labels[place], 0) + int(np.count_nonzero(which == place))
    return Pieces.of(label.encode() for label in labels).at(which), counts
