"""The gateway: the one door. Owns jobs, attempts, metrics and events."""
