"""Work that outlives its request: taken from a table under a lease, one process at a time, by whichever is there."""
