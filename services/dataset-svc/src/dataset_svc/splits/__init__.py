"""Divides the rows of a version into train, validation and test."""
