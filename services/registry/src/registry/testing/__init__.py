"""A registry for tests, on servers that are given."""
