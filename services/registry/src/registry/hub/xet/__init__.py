"""A small write-only content store in the language of `hf_xet`: chunks come in xorbs, shards say how files are made."""
