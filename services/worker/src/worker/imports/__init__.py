"""Corpora that come in Python packages, one file each: rows that a dataset can be made of."""
