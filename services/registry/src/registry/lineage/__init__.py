"""Where versions come from, and what was made of them."""
