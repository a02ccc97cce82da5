"""The worker: an agent that claims and supervises, and a trainer that trains."""
