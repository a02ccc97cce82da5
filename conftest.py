"""Fixtures of every test here and in the services: real servers, from the shared package."""

from __future__ import annotations

from worker import model_index

pytest_plugins = ["kargah.testing.fixtures"]

model_index.install()  # before a test module imports transformers
