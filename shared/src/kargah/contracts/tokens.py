"""What a model would be trained on, on the wire: rows as tokens, and figures over many rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kargah.contracts.base import VersionNumber, Wire, WireRequest

MOST_ROWS = 20
MOST_COUNTED = 1_000_000
TokenState = Literal["read", "trained", "cut"]
"""`read`: the model sees it; `trained`: it is also what is learnt; `cut`: it lies beyond the maximum length."""


class RowsWanted(WireRequest):
    """`limit` rows from row `offset` (counted from 0)."""

    offset: int = Field(default=0, ge=0, le=2**60)
    limit: int = Field(default=1, ge=0, le=MOST_ROWS)


class TokensRequest(WireRequest):
    """`POST /api/datasets/<name>/tokens`. `model`: a name, or `name@2`. Without `version` the latest, without `recipe`
    the one that a job would get, without `maxLength` its default. `sample`: so many rows are counted, chosen by `seed`,
    or all when there are no more; 0: none."""

    model: str = Field(min_length=1, max_length=300)
    version: VersionNumber | None = None
    recipe: str | None = Field(default=None, max_length=100)
    rows: RowsWanted = RowsWanted()
    max_length: int | None = Field(default=None, ge=8, le=1_048_576)
    sample: int = Field(default=2000, ge=0, le=MOST_COUNTED)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class TokenSpan(Wire):
    """Neighbouring characters of one state, as text."""

    text: str
    state: TokenState


class Token(Wire):
    """`text`: the characters that it stands for; a character of several tokens is given with each of them."""

    id: int
    text: str
    state: TokenState


class TokenizedRow(Wire):
    """A row as the model reads it. `tokens` counts it before the cut; `items`: into how many pieces it is divided (1
    unless long texts are split). `pieces` are its first tokens and `spans` their text, both empty when the answer had
    no room left. `label` is what a classifier learns instead of tokens."""

    row: int
    tokens: int
    trained_tokens: int
    cut_tokens: int
    cut_trained_tokens: int
    items: int
    label: str | None = None
    spans: list[TokenSpan]
    pieces: list[Token]


class LengthBucket(Wire):
    """`rows` of `least` to `most` tokens."""

    least: int
    most: int
    rows: int


class Lengths(Wire):
    """Tokens per row before the cut: `p50` and so on are lengths of rows, `histogram` has buckets that double."""

    mean: float
    p50: int
    p95: int
    p99: int
    max: int
    histogram: list[LengthBucket]


class PersianFigures(Wire):
    """How well the tokenizer knows Persian, over the words in Arabic script: tokens per word and per letter, and the
    share of tokens that stand for something unknown; None where there is no such word."""

    words: int
    letters: int
    tokens: int
    tokens_per_word: float | None
    tokens_per_letter: float | None
    unknown_rate: float | None


class TokenFigures(Wire):
    """Over `rows` of the version's `rows_in_version`, which were to be `asked`; fewer when the time was up first.
    `untrained_rows` have no token left to learn."""

    rows: int
    asked: int
    rows_in_version: int
    tokens: int
    trained_tokens: int
    cut_rows: int
    cut_tokens: int
    cut_trained_tokens: int
    untrained_rows: int
    lengths: Lengths
    persian: PersianFigures


class DatasetTokens(Wire):
    """What would be trained. `learns`: the tokens that carry loss, some of them by chance (`masked_tokens`), or the
    row's label. `length` is what `max_length` comes to with this model. `template`: whose chat template is used, the
    model's or the platform's own; None where there is no conversation."""

    dataset: str
    version: int
    format: str
    model: str
    model_version: int
    recipe: str
    learns: Literal["tokens", "masked_tokens", "label"]
    template: Literal["model", "kargah"] | None
    max_length: int
    length: int
    rows: list[TokenizedRow]
    figures: TokenFigures | None
