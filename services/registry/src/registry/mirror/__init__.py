"""A mirror of another hub: what is asked for is fetched once, verified, and kept."""
