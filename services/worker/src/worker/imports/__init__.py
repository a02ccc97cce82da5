"""Where datasets come from: corpora in Python packages, URLs, S3 stores, hubs."""
