"""Who may come in: users, sessions, projects, API keys, and what they did."""
