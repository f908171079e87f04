"""Run one trial: a worker takes it, keeps its lease, samples its configuration and trains it."""
