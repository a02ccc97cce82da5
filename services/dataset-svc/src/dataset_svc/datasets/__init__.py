"""Datasets: routes, service, repository, tables."""
