"""What the campaigns of kills share: the strikes beside senders, and the command of a long one."""

from __future__ import annotations

import argparse
import random
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.service_process import ServiceProcess

Run = Callable[[EmbeddedPostgres, EmbeddedObjectStore, int, int, Path], tuple[str, list[str]]]


def strike(
    service: ServiceProcess,
    senders: Sequence[threading.Thread],
    enough: threading.Event,
    pauses: Sequence[float],
    end_seconds: float,
) -> list[str]:
    """Kill and start the service after each of the pauses (seconds) while the senders go on; then set `enough` and let
    them finish. What is to be said of those who do not."""
    for sender in senders:
        sender.start()
    try:
        for pause in pauses:
            enough.wait(pause)  # nobody sets it here: a pause of that length
            service.stop(signal.SIGKILL)
            service.start()
    finally:
        enough.set()
        for sender in senders:
            sender.join(timeout=end_seconds)
    return [f"{sender.name} did not end" for sender in senders if sender.is_alive()]


def random_pauses(rounds: int, seed: int, longest: float) -> list[float]:
    """So many, each up to `longest` seconds."""
    chance = random.Random(seed)
    return [chance.random() * longest for _ in range(rounds)]


def command(name: str, rounds: int, run: Run) -> None:
    """`python -m tests.faults.NAME --rounds N --seed S`, on servers of its own: what was done, and what is wrong. Exits
    with 1 when anything is."""
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with _servers() as (postgres, server, folder):
        done, wrong = run(postgres, server, options.rounds, options.seed, folder)
    print(done)
    print("\n".join(wrong) or "nothing is wrong")
    raise SystemExit(bool(wrong))


@contextmanager
def _servers() -> Iterator[tuple[EmbeddedPostgres, EmbeddedObjectStore, Path]]:
    with tempfile.TemporaryDirectory(prefix="kargah-kills-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        work = folder / "work"
        work.mkdir()
        with EmbeddedPostgres(folder / "postgres") as postgres, EmbeddedObjectStore(folder / "objects") as server:
            yield postgres, server, work
