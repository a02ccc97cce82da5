"""Base models from packages, from a hub and from folders: data only, checked and hashed."""
