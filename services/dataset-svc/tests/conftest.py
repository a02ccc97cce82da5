"""Real servers for the tests that ask for them."""

from __future__ import annotations

pytest_plugins = ["kargah.testing.fixtures"]
