"""Typed HTTP clients: the public SDK."""
