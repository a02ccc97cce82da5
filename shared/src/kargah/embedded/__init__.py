"""The embedded default: real Postgres and S3 servers from wheels, as children of this process (Linux)."""
