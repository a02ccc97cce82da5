"""Fixtures of every test here and in the services: real servers, from the shared package."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from worker import model_index

pytest_plugins = ["kargah.testing.fixtures"]

model_index.install()  # before a test module imports transformers

# How long an example takes says how busy the machine is, nothing about the code.
settings.register_profile("kargah", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kargah")
