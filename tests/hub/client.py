"""A process of its own in which the stock clients run: they read HF_ENDPOINT and their mode when they are imported."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

_SECONDS = 120.0
_CALLS = Path(__file__).with_name("calls.py")


class CallFailed(Exception):
    """What a client raised: `kind` is the name of its exception, the message its own."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class StockClients:
    """Runs functions of `calls.py` one after the other. `endpoint` is what they know as HF_ENDPOINT."""

    def __init__(self, endpoint: str, folder: Path, *, xet: bool) -> None:
        self.endpoint = endpoint
        self.folder = folder
        self.xet = xet
        folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(folder / "home"),
            "HF_TOKEN": "hf_any",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "0" if xet else "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        self._log = (folder / "client.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, str(_CALLS)],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __call__(self, function: str, **arguments: Any) -> Any:
        """What the function returns. Raises CallFailed with what it raised."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([function, arguments]), file=self._process.stdin, flush=True)
        ready, _, _ = select.select([self._process.stdout], [], [], _SECONDS)
        line = self._process.stdout.readline() if ready else ""
        assert line, f"the clients do not answer: {(self.folder / 'client.log').read_text()[-2000:]}"
        answer = json.loads(line)
        if "error" in answer:
            raise CallFailed(answer["error"], answer["message"])
        return answer["value"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_SECONDS)
        finally:
            self._process.kill()
            self._process.stdout.close()
            self._log.close()
