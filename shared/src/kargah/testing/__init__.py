"""Real servers and fixtures for tests. Not imported by the product."""
