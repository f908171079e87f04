"""The database of studies, the leases of trials, and checkpoints on disk."""
