"""Jobs: submit, list, watch, control."""
