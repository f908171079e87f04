"""Use trained classifiers: ensembles, calibration, bundles, cost."""
