"""Train folds: tasks, losses, optimisers, checkpoints, verdicts."""
