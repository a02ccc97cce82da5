"""The queue: who waits and why, owners and their quotas, workers."""
