"""Who is asking, and what they may do: roles, tokens, keys, passwords. No database and no web framework."""
