"""Cross-validations in parallel processes, and the cache of trained folds."""
