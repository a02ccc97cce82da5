"""The scheduling at scale: the real policy and state table on simulated time, the real claim on a real Postgres."""
