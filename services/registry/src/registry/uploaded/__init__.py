"""Datasets that were uploaded to the dataset service, as read-only repositories of the Hub."""
