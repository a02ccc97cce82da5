"""Fixtures of every test here and in the services: real servers, from the shared package."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import HealthCheck, settings

from worker import model_index

pytest_plugins = ["kargah.testing.fixtures"]

# Hub clients keep by address what a server has told them. A test's server may get the port of one from before.
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="kargah-hub-")
atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)

model_index.install()  # before a test module imports transformers

# How long an example takes says how busy the machine is, nothing about the code.
settings.register_profile("kargah", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kargah")
