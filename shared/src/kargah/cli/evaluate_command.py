"""`kargah evaluate`"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.follow import announce, follow, insist
from kargah.cli.option_names import as_options
from kargah.cli.text import setting
from kargah.contracts.jobs import JobView
from kargah.domain.wording import counted


def evaluate(
    context: typer.Context,
    model: Annotated[str, typer.Option("--model", "-m", help="An installed or tuned model.")],
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="An installed dataset.")],
    name: Annotated[str | None, typer.Option(help="What to call the job.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Whose measures; chosen by model and data if not given.")] = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="Only the first rows.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="A parameter: --set max_length=256")] = None,
    json: JsonOption = False,
) -> None:
    """Measure a model on a dataset; nothing is trained."""
    client = connect(context)
    config: dict[str, Any] = dict(setting(entry) for entry in set_ or [])
    config |= {} if max_rows is None else {"maxRows": max_rows}
    with as_options():
        job = client.jobs.evaluate(model, dataset, name=name, recipe=recipe, config=config)
    announce(job)
    job = insist(follow(client, job, quiet=json))
    if json:
        print_json(job)
    else:
        _show(job)


def _show(job: JobView) -> None:
    result = job.result or {}
    table = Table(
        Column(f"on {counted(result['rows'], 'row')}"), Column(job.config.recipe, justify="right"), box=SIMPLE
    )
    for name, value in result["metrics"].items():
        table.add_row(name.removeprefix("eval_").replace("_", " "), f"{value:.4g}")
    console.print(table)
    for sample in result["samples"]:
        console.rule(escape(sample["prompt"][:100]), align="left")
        if sample["expected"] is not None:
            console.print(f"[bold]expected[/] {escape(sample['expected'])}", highlight=False)
        console.print(f"[bold]answer[/]   {escape(sample['answer'])}", highlight=False)
