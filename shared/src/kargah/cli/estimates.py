"""`kargah train --estimate`: what the training would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from kargah.cli.context import console, print_json
from kargah.cli.option_names import as_options
from kargah.cli.text import duration, one_line, size
from kargah.clients.client import Client
from kargah.contracts.estimates import ByteRange, TrainEstimate, WorkerFit, counts_of
from kargah.domain.names import dataset_name, split_version

_WHY = {
    "unknown_size": "the base model does not tell how many parameters it has",
    "unknown_shape": "the base model's config.json does not tell its sizes",
    "no_worker": "no worker that could take it is there",
    "no_counts": "no token was counted",
    "no_former_training": "no training of this model by this method has completed yet",
}
_VERDICTS = {
    "fits": "fits",
    "tight": "tight: batches may be divided",
    "does_not_fit": "does not fit",
    "unknown": "unknown: the worker does not tell the memory of its device",
}


def tell_estimate(client: Client, config: dict[str, Any], json: bool) -> None:
    """Count the dataset's tokens, ask, and show the answer."""
    name, version = split_version(dataset_name(str(config["dataset"])))
    number = int(version) if version is not None and version.isdigit() else None
    with as_options():
        recipe = client.jobs.estimate(config).recipe  # refuses what a training would be refused for
        tokens = client.datasets.tokens(
            name, str(config["baseModel"]), version=number, recipe=recipe, max_length=_length(config)
        )
        told = client.jobs.estimate(config, counts_of(tokens))
    if json:
        print_json(told)
        return
    table = Table.grid(padding=(0, 2))
    for title, text in lines(told):
        table.add_row(title, one_line(text))
    console.print(table)


def lines(told: TrainEstimate) -> Iterator[tuple[str, str]]:
    """What is shown, a title and a text each."""
    yield "steps", f"{told.steps:,} ({told.steps_per_epoch:,} an epoch, of {told.train_rows:,} rows)"
    if told.tokens is not None:
        yield "tokens", f"{told.tokens:,} ({told.trained_tokens or 0:,} of them learnt)"
    for fit in told.fits:
        yield "memory", f"{_range(fit.memory.total)} on {fit.worker}: {_verdict(fit)}"
    if told.no_memory is not None:
        yield "memory", f"unknown: {_WHY[told.no_memory]}"
    if told.time is not None:
        trainings = f"{len(told.former)} former training{'s' if len(told.former) > 1 else ''}"
        yield "time", f"{duration(told.time.least)} to {duration(told.time.most)}, at the speed of {trainings}"
    if told.no_time is not None:
        yield "time", f"unknown: {_WHY[told.no_time]}"


def _verdict(fit: WorkerFit) -> str:
    held = "" if fit.memory_bytes is None else f", of {size(fit.memory_bytes)}"
    return f"{_VERDICTS[fit.verdict]}{held}"


def _range(part: ByteRange) -> str:
    return f"{size(part.least)} to {size(part.most)}"


def _length(config: Mapping[str, Any]) -> int | None:
    value = config.get("max_length", config.get("maxLength"))
    return value if type(value) is int else None
