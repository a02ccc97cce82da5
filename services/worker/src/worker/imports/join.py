"""The pieces of a split as one file: a dataset version has one source."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from worker.imports.errors import ImportFailed

_ROWS = 1024
_JOINABLE = (".jsonl", ".ndjson", ".txt", ".jsonl.gz", ".ndjson.gz", ".txt.gz", ".jsonl.zst", ".ndjson.zst", ".txt.zst")


def join(pieces: Sequence[Path], target: Path) -> Path:
    """One file in the folder `target` with the rows of all pieces in their order; a single piece is moved.

    Lines are put behind each other (packed ones too: gzip and Zstandard allow it), Parquet is written anew. Raises
    ImportFailed for pieces of several kinds, or of a kind that cannot be joined.
    """
    kind = _kind(pieces[0])
    made = target / (pieces[0].name if len(pieces) == 1 else f"joined{kind}")
    if len(pieces) == 1:
        shutil.move(pieces[0], made)
    elif any(_kind(piece) != kind for piece in pieces) or kind not in (*_JOINABLE, ".parquet"):
        names = ", ".join(piece.name for piece in pieces[:10])
        raise ImportFailed("many_files", f"these files cannot be put together: {names}", "choose one of them")
    elif kind == ".parquet":
        _join_parquet(pieces, made)
    else:
        _join_lines(pieces, made, packed=kind.endswith((".gz", ".zst")))
    return made


def _kind(path: Path) -> str:
    return "".join(path.suffixes[-2:] if path.suffix in (".gz", ".zst") else path.suffixes[-1:]).lower()


def _join_lines(pieces: Sequence[Path], made: Path, *, packed: bool) -> None:
    with made.open("wb") as file:
        for piece in pieces:
            with piece.open("rb") as source:
                shutil.copyfileobj(source, file, 1 << 20)
            if not packed:
                file.write(b"\n")  # the last line may lack its own; an empty one is no row


def _join_parquet(pieces: Sequence[Path], made: Path) -> None:
    schema = pq.read_schema(pieces[0]).remove_metadata()
    try:
        with pq.ParquetWriter(made, schema) as writer:
            for piece in pieces:
                for batch in pq.ParquetFile(piece, pre_buffer=False).iter_batches(_ROWS):
                    writer.write_batch(batch.replace_schema_metadata(None))
    except (pa.ArrowException, ValueError) as error:
        message = f"the Parquet files cannot be put together: {error}"
        raise ImportFailed("many_files", message, "choose one of them") from error
