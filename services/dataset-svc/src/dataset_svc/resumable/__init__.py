"""Uploads in parts that go on after a break: routes, service, repository, tables, and who completes them."""
