"""What a model would be trained on, in the terminal: a row with its learnt words marked, and the figures."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.table import Column, Table
from rich.text import Text

from kargah.cli.context import console
from kargah.contracts.tokens import DatasetTokens, TokenFigures, TokenizedRow, TokenState

_STYLES: dict[TokenState, str] = {"read": "", "trained": "bold black on green", "cut": "strike dim"}
_MARKS: dict[TokenState, tuple[str, str]] = {"read": ("", ""), "trained": ("⟦", "⟧"), "cut": ("✂", "✂")}
_BAR = 30
_LEARNT = {
    "tokens": "{count:,} learnt",
    "masked_tokens": "{count:,} that may be hidden and guessed",
    "label": "of which none is learnt, but the label",
}


def show_tokens(answer: DatasetTokens) -> None:
    """Print all of it."""
    model = f"{answer.model}@{answer.model_version}"
    template = {"model": ", its own chat template", "kargah": ", Kargah's chat template", None: ""}[answer.template]
    limit = "" if answer.length == answer.max_length else f" (the most that {answer.model} can read)"
    console.print(
        f"[green]{answer.dataset}[/] version {answer.version} as {model} reads it: recipe {answer.recipe}{template}, "
        f"at most {answer.length:,} tokens{limit}",
        highlight=False,
    )
    for row in answer.rows:
        _show_row(row, answer)
    if answer.figures is not None:
        _show_figures(answer.figures, answer)


def marked(row: TokenizedRow, *, colours: bool) -> Text:
    """The row's text: what is learnt and what is cut off in colours, or between marks where there are none."""
    text = Text()
    for span in row.spans:
        before, after = ("", "") if colours else _MARKS[span.state]
        text.append(f"{before}{span.text}{after}", _STYLES[span.state] if colours else "")
    return text


def _show_row(row: TokenizedRow, answer: DatasetTokens) -> None:
    learnt = _LEARNT[answer.learns].format(count=row.trained_tokens)
    cut = f", {row.cut_tokens:,} cut off" if row.cut_tokens else ""
    pieces = f", in {row.items} pieces" if row.items > 1 else ""
    console.rule(f"row {row.row + 1}: {row.tokens:,} tokens, {learnt}{cut}{pieces}", align="left")
    console.print(marked(row, colours=console.is_terminal), highlight=False, soft_wrap=not console.is_terminal)
    if row.label is not None:
        console.print(Text(f"label: {row.label}"))
    if len(row.pieces) < row.tokens:
        console.print(f"(the first {len(row.pieces):,} tokens are shown)")


def _show_figures(figures: TokenFigures, answer: DatasetTokens) -> None:
    table = Table(Column("over the rows"), Column(_counted(figures), justify="right"), box=SIMPLE)
    lengths = figures.lengths
    table.add_row("tokens", f"{figures.tokens:,}")
    if answer.learns != "label":
        table.add_row(
            "of these learnt", f"{figures.trained_tokens:,} ({_share(figures.trained_tokens, figures.tokens)})"
        )
    table.add_row("tokens a row", f"mean {lengths.mean:,.1f}, p50 {lengths.p50:,}, p95 {lengths.p95:,}, "
                                  f"p99 {lengths.p99:,}, max {lengths.max:,}")  # fmt: skip
    table.add_row(
        f"rows over {answer.length:,} tokens", f"{figures.cut_rows:,} ({_share(figures.cut_rows, figures.rows)})"
    )
    table.add_row("tokens cut off", f"{figures.cut_tokens:,}, {figures.cut_trained_tokens:,} of them to be learnt")
    if answer.learns != "label":
        table.add_row("rows with nothing to learn", f"{figures.untrained_rows:,}")
    persian = figures.persian
    if persian.tokens_per_word is not None:
        table.add_row("Persian: tokens a word", f"{persian.tokens_per_word:.2f}")
        table.add_row("Persian: tokens a letter", f"{persian.tokens_per_letter:.2f}")
        table.add_row("Persian: unknown tokens", f"{persian.unknown_rate or 0:.2%}")
    console.print(table)
    _show_histogram(figures)


def _show_histogram(figures: TokenFigures) -> None:
    table = Table(Column("tokens", justify="right"), Column("rows", justify="right"), "", box=SIMPLE)
    highest = max(bucket.rows for bucket in figures.lengths.histogram)
    for bucket in figures.lengths.histogram:
        bar = "█" * max(round(bucket.rows / highest * _BAR), 1 if bucket.rows else 0)
        table.add_row(f"{bucket.least:,}-{bucket.most:,}", f"{bucket.rows:,}", bar)
    console.print(table)


def _counted(figures: TokenFigures) -> str:
    if figures.rows == figures.rows_in_version:
        return f"all {figures.rows:,}"
    cut = f", as far as the time went for {figures.asked:,}" if figures.rows < figures.asked else ""
    return f"a sample of {figures.rows:,} of {figures.rows_in_version:,}{cut}"


def _share(number: int, of: int) -> str:
    return f"{number / of:.1%}" if of else "-"
