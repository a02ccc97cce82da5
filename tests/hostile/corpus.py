"""The whole corpus, made anew at every run; `python -m tests.hostile.corpus FOLDER` writes its files to look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from tests.hostile import broken_rows, broken_text, columnar, tricks
from tests.hostile.case import Hostile


def corpus() -> Iterator[Hostile]:
    """Every hostile upload, one at a time: some hold megabytes."""
    return chain(
        broken_text.encodings(),
        broken_text.broken_bytes(),
        broken_text.cut_short(),
        broken_text.foreign_kinds(),
        broken_rows.nesting(),
        broken_rows.numbers(),
        broken_rows.long_things(),
        broken_rows.tables(),
        broken_rows.no_json(),
        broken_rows.wrong_shapes(),
        columnar.parquet(),
        columnar.zstandard(),
        tricks.names(),
    )


def main() -> None:
    """Write the files, numbered, with a list of what they are."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "names.txt").open("w", encoding="utf-8") as names:
        for number, case in enumerate(corpus(), 1):
            (folder / f"{number:03}").write_bytes(case.data)
            names.write(f"{number:03} {case.outcome} {case.name}\n")


if __name__ == "__main__":
    main()
