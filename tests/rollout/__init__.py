"""Two releases side by side: `make rollout RELEASE=<commit>`."""
