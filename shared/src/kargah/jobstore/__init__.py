"""The job tables and every statement on them; shared by the gateway (owner) and the worker agent."""
