"""`python -m worker.zygote.cold`: a trainer process without a zygote; imports everything itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from worker.zygote import lifetime
from worker.zygote.entry import TRAINER, run_spec


def main() -> int:
    """Run one spec; the trainer's exit code. The caller has made this process a session leader."""
    options = _options()
    lifetime.die_with_parent(options.parent)
    lifetime.die_first_when_memory_runs_out()
    return run_spec(options.entry, options.spec, options.read_fd, options.write_fd)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="worker.zygote.cold")
    parser.add_argument("--spec", type=Path, required=True)
    parser.add_argument("--read-fd", type=int, required=True)
    parser.add_argument("--write-fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--entry", default=TRAINER)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
