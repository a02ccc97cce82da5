"""Every command is found where the table says; it and each service import what they need, and no more."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from kargah.cli.lazy_commands import PLACES
from kargah.cli.main import app

_HEAVY = ("sqlalchemy", "alembic", "minio", "psycopg", "torch")


@pytest.mark.parametrize("name", PLACES)
def test_a_command_explains_itself(name: str) -> None:
    answer = CliRunner().invoke(app, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert f"{name} [OPTIONS]" in answer.output


def test_what_looks_like_a_command_is_suggested() -> None:
    answer = CliRunner().invoke(app, ["canel"])
    assert answer.exit_code == 2
    assert "'cancel'" in answer.output


def test_the_jobs_command_does_not_import_what_starts_servers() -> None:
    imported = "import sys, kargah.cli.main, kargah.cli.job_commands"
    code = f"{imported}; print([name for name in {_HEAVY!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"


def test_no_service_imports_at_its_start_what_it_may_never_need() -> None:
    places = {"gateway.app": ("minio", "huggingface_hub", "torch"), "registry.app": ("huggingface_hub", "torch")}
    looks = [f"import {module}; print([n for n in {names!r} if n in sys.modules])" for module, names in places.items()]
    code = f"import sys; {'; '.join(looks)}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["[]", "[]"]
