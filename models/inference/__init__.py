"""Trained classifiers in use: ensembles, calibration, bundles, cost."""
