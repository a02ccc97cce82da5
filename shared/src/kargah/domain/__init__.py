"""Pure domain rules: states, ids, errors. Standard library and pydantic only."""
