"""What may change about an immutable version: the aliases that point to it, and its tags."""
