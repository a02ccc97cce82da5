"""Content-addressed bytes: written once under their sha256, checked on the way in."""
