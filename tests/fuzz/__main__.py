"""`make fuzz`: a long run on real services; ends with 1 when anything was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from tests.fuzz.campaign import Report, Span, fuzz
from tests.fuzz.hub_campaign import fuzz_hub
from tests.fuzz.targets import FUZZER, targets


def main() -> None:
    """Fuzz for the seconds asked for and print what came of it."""
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="kargah-fuzz-") as folder,
        EmbeddedPostgres(Path(folder, "pg")) as postgres,
        EmbeddedObjectStore(Path(folder, "s3")) as objects,
        targets(postgres, objects) as services,
    ):
        report = fuzz(services, Span(options.seconds * 4 / 5), options.seed)
        report.add(fuzz_hub(services[1].url, Span(options.seconds / 5), options.seed, FUZZER))
    _print(report)
    sys.exit(1 if report.failures else 0)


def _print(report: Report) -> None:
    for name, number in sorted(report.sent.items()):
        print(f"{number:7,}  {name}  ({_told(report.statuses(name))})")
    for name, number in sorted(report.services.items()):
        print(f"{number:7,}  to {name}")
    print(f"{sum(report.sent.values()):7,}  in all; {_told(report.statuses())}")
    for name, text in report.failures.items():
        print(f"\nWRONG {name}\n{text}")


def _told(statuses: Mapping[int, int]) -> str:
    return ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))


if __name__ == "__main__":
    main()
