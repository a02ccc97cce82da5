"""One gateway of a distributed stack whose worker tells its recipes and trains nothing; all on the same machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.gateway_load import followers, points, submits
from benchmarks.report import Row
from benchmarks.training_throughput import prepare
from kargah import Client
from kargah.testing.distributed import distributed_stack
from kargah.testing.jobs import job_bench

_SETTINGS = {"worker": {"KARGAH_KINDS": "install"}}


def rows() -> list[Row]:
    """Points, followers, submissions: in this order, for the last leave a long queue."""
    with (
        tempfile.TemporaryDirectory(prefix="kargah-bench-") as name,
        distributed_stack(_SETTINGS, without=frozenset({"inference"})) as stack,
        Client(stack.url) as client,
        job_bench(stack.dsn_of("gateway")) as bench,
    ):
        prepare(Path(name), 50)
        client.models.install_folder(Path(name) / "model", "bench")
        client.datasets.upload(Path(name) / "train.jsonl", name="bench", format="text")
        return [*points.rows(stack, bench), *followers.rows(stack, bench), *submits.rows(stack)]
