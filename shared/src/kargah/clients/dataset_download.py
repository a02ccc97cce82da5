"""A version's rows as files: one for each split, named as every tool that reads folders of rows expects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from kargah.contracts.datasets import DatasetVersionView

_UNDIVIDED = "train"


def write_rows(
    version: DatasetVersionView,
    rows: Iterator[bytes],
    places: Iterator[bytes] | None,
    folder: Path,
    on_bytes: Callable[[int], object] = lambda count: None,
) -> tuple[Path, ...]:
    """Write `rows` (JSON lines as stored, in any chunks) to `<split>.jsonl` below `folder`, checked against the
    version's sha256; `train.jsonl` without splits. `places` holds a byte for each row: its split's place in the names.

    The files appear under their names once all are whole. Raises OSError where they cannot be written, and when what
    came is not the version.
    """
    names = version.splits.names if version.splits else [_UNDIVIDED]
    folder.mkdir(parents=True, exist_ok=True)
    drafts = [folder / f".{name}.jsonl.part" for name in names]
    try:
        if _write(rows, places, drafts, on_bytes) != version.sha256:
            raise OSError(f"{version.dataset}@{version.version} arrived damaged: sha256 differs; try again")
        return tuple(draft.replace(folder / f"{name}.jsonl") for draft, name in zip(drafts, names, strict=True))
    finally:
        for draft in drafts:
            draft.unlink(missing_ok=True)


def _write(
    rows: Iterator[bytes], places: Iterator[bytes] | None, drafts: list[Path], on_bytes: Callable[[int], object]
) -> str:
    """The sha256 of all rows."""
    digest = hashlib.sha256()
    of_row = (place for chunk in places for place in chunk) if places is not None else None
    with ExitStack() as stack:
        files: list[BinaryIO] = [stack.enter_context(draft.open("wb")) for draft in drafts]
        for lines in _whole_lines(rows):
            digest.update(lines)
            on_bytes(len(lines))
            if of_row is None:
                files[0].write(lines)
                continue
            for line in lines.splitlines(keepends=True):
                files[next(of_row, 0)].write(line)
    return digest.hexdigest()


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, cut behind line ends."""
    rest = b""
    for chunk in chunks:
        head, end, tail = chunk.rpartition(b"\n")
        if end:
            yield rest + head + end
            rest = tail
        else:
            rest += chunk
    if rest:
        yield rest
