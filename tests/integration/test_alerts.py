"""The alert rules fire when they should, by Prometheus's own tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kargah.testing.servers.programs import installed_program

_FOLDER = Path(__file__).parents[2] / "deploy/prometheus"


def test_the_alerts_fire_when_they_should() -> None:
    promtool = str(installed_program("promtool"))
    for command in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")):
        told = subprocess.run(
            [promtool, *command], cwd=_FOLDER, capture_output=True, text=True, check=False, timeout=60
        )
        assert told.returncode == 0, told.stdout + told.stderr
