"""Readers: one file per kind of source. Each turns bytes into rows and faults, with exact positions, and never raises
for what the file holds."""
