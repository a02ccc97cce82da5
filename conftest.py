"""Fixtures of every test here and in the services: real servers, from the shared package."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from worker import model_index

pytest_plugins = ["kargah.testing.fixtures"]

# Hub clients keep by address what a server has told them. A test's server may get the port of one from before.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="kargah-hub-")
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)

model_index.install()  # before a test module imports transformers

# How long an example takes says how busy the machine is, nothing about the code.
settings.register_profile("kargah", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kargah")

_CAMPAIGNS = ("tests/faults/", "tests/fuzz/", "tests/hostile/")  # as a whole; elsewhere files and tests are marked
_OF_ONE_STACK = "tests/studio/"
_HEAVY = ("tests/contract/", "tests/e2e/", "tests/faults/")


class _ByFile(LoadFileScheduling):
    """Each file's tests go to one process; those of all files that share a stack, too."""

    def _split_scope(self, nodeid: str) -> str:
        return _OF_ONE_STACK if nodeid.startswith(_OF_ONE_STACK) else super()._split_scope(nodeid)


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What goes to one process as a whole takes minutes: the others shall not wait for it at the end. Nor is it beside
    the stacks of `tests/e2e` at the start."""
    for item in items:
        if item.nodeid.startswith(_CAMPAIGNS):
            item.add_marker(pytest.mark.campaign)
    items.sort(key=lambda item: not item.nodeid.startswith((*_HEAVY, _OF_ONE_STACK)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """The scheduler of `--dist=loadfile`, for which the Makefile asks."""
    return _ByFile(config, log) if config.getvalue("dist") == "loadfile" else None
