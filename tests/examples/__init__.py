"""Tests of what stands in examples/: each runs as it stands."""
