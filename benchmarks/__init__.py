"""Benchmarks anyone can run: `make bench`. Each figure stands beside a named peer measured in the same run."""
