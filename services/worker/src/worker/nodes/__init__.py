"""Several machines that do one run: how they find and know each other."""
