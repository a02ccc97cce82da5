"""Repairs and splits as tasks of their own: routes, service, repository, tables, and who does them."""
