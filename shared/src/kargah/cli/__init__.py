"""The `kargah` command."""
