"""Figures of a study: each a function of plain values that gives a plotly `Figure`, for the report and for notebooks."""

from search.report.figures.history import best_so_far, rung_counts
from search.report.figures.readings import race, readings
from search.report.figures.trainings import (
    acceptance_curves,
    accuracy_curves,
    loss_curves,
    outcomes_by_fold,
    seed_outcomes,
    training_ends,
)

__all__ = [
    "acceptance_curves",
    "accuracy_curves",
    "best_so_far",
    "loss_curves",
    "outcomes_by_fold",
    "race",
    "readings",
    "rung_counts",
    "seed_outcomes",
    "training_ends",
]
