"""The stock clients of the Hugging Face Hub against the registry: over HTTP, on real Postgres and S3."""
