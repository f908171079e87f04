"""Benchmarks of speed: images a second, storage, start-up and memory."""
