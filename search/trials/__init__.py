"""What one trial records: rungs, objectives, reliability, and the comparison with the network in use."""
