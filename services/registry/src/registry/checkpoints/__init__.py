"""Files of checkpoints, for the gateway."""
