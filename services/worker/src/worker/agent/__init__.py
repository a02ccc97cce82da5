"""The agent: claims jobs, starts trainers, keeps leases, stores checkpoints and results. It has no torch."""
