"""Benchmarks of the search: what it costs, what it finds, what pruning ends."""
