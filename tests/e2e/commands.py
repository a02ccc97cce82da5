"""Run the command line as a user does: a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PERSIAN_QA = Path(__file__).parents[2] / "examples" / "persian-qa" / "persian_qa.jsonl"


@dataclass(frozen=True)
class Kargah:
    """The `kargah` command against one gateway."""

    url: str

    def run(self, *arguments: str, expect: int = 0, timeout: float = 240.0) -> subprocess.CompletedProcess[str]:
        """Run a command; its exit status must be `expect`."""
        command = [sys.executable, "-m", "kargah.cli.main", "--url", self.url, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        assert done.returncode == expect, f"{arguments} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, timeout: float = 240.0) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.run(*arguments, "--json", timeout=timeout).stdout)
