"""`speech`: a recording, named or enclosed, and what is said in it. Only the rows: no sound is opened here."""

from __future__ import annotations

from typing import Any

from kargah.formats.base import Example, Exchange, Format, NotTrained, Row, RowError
from kargah.formats.columns import Column, column_problem, found, kind_of, missing, text_of, text_problem

_AUDIO = Column("audio", ("audio_path", "audio_filepath", "audio_url", "wav", "صوت", "صدا"))
_FILE = Column("file_name", ("file", "path"))
_TEXT = Column("text", ("transcription", "transcript", "sentence", "متن", "رونویسی"))
_SUFFIXES = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".webm", ".aac")


class Speech:
    """`{"audio": "clips/1.wav", "text": "..."}`; audio is a path, a URL, or `{"path": "...", "bytes": "base64"}`."""

    name = "speech"
    title = "Recordings with transcripts"
    fields = ("audio", "text")
    rank = 30
    trained = False

    def detect(self, fields: frozenset[str], row: Row) -> bool:
        """A transcript beside a column of recordings, or of files whose names end as recordings' do."""
        return _TEXT.present(row) and (_AUDIO.present(row) or _names_audio(row))

    def validate(self, row: Row) -> list[RowError]:
        """The recording must be referred to and the transcript say something."""
        return found(_audio_problem(row), column_problem(row, _TEXT))

    def to_example(self, row: Row) -> Example:
        """Raises NotTrained."""
        raise NotTrained(self.name)

    def exchange(self, row: Row) -> Exchange:
        """The reference to the recording, on whose transcript two rows should agree."""
        text = text_of(row, _TEXT)
        return Exchange(str(row[_audio_key(row) or ""]), text, text)


def _audio_key(row: Row) -> str | None:
    return _AUDIO.key(row) or _FILE.key(row)


def _names_audio(row: Row) -> bool:
    key = _FILE.key(row)
    return key is not None and isinstance(row[key], str) and row[key].lower().endswith(_SUFFIXES)


def _audio_problem(row: Row) -> RowError | None:
    key = _audio_key(row)
    if key is None:
        return missing(_AUDIO)
    value: Any = row[key]
    if isinstance(value, str):
        return text_problem(value, key)
    if not isinstance(value, dict):
        return RowError(key, "wrong_type", f"`{key}` must be a path, a URL or an object, and is {kind_of(value)}")
    if any(isinstance(value.get(part), str) and value[part].strip() for part in ("path", "url", "bytes")):
        return None
    return RowError(key, "empty", f"`{key}` has neither a path, a URL nor bytes (base64 text)")


FORMAT: Format = Speech()
