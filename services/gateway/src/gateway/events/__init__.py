"""A job's history, live."""
