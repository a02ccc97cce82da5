"""Protocols of what may be replaced: object store, doorbell."""
