"""Repositories of models and datasets: commits, branches and tags over content-addressed blobs."""
