"""Faults of typing in a text and their repairs: each repair yields edits, so what is counted is what would change."""
