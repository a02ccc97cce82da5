"""What the child process does for each kind of job: one module each, with `run(context)`."""
