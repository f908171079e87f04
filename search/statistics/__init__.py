"""Intervals, bootstrap and paired tests. Knows nothing of studies."""
