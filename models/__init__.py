"""One configuration made to learn: networks, the trainer, verdicts, bundles. Knows nothing of optuna."""
