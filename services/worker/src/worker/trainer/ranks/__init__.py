"""A run in several processes of one machine, one for each device."""
