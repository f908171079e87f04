"""Benchmarks of stated numbers: whether intervals, reliabilities and verdicts hold."""
