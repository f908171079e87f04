"""Optuna's dashboard, guarded, with what our trials record in words and pictures that it can show."""
