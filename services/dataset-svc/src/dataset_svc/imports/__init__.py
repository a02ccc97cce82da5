"""Converters of well-known data into files that can be uploaded."""
