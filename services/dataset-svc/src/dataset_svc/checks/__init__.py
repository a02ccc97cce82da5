"""Checks of a whole file: problems, column mapping, statistics, warnings, and the stream of rows that passed."""
