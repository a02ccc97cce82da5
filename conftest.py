"""Fixtures of every test here and in the services: real servers, from the shared package."""

from __future__ import annotations

pytest_plugins = ["kargah.testing.fixtures"]
