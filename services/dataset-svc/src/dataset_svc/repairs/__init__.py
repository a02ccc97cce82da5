"""Repairs: a version's rows, mended, as a new version that tells where it comes from."""
