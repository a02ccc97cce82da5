"""The warm process: imports torch and transformers once, then forks a trainer per job in milliseconds."""
