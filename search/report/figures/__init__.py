"""Figures of a study: each a function of plain values that gives a plotly `Figure`, for the report and for notebooks."""

from search.report.figures.acceptance import accepted_parts, calibration, confusion, roc, score_histograms
from search.report.figures.choices import choices_compared, importances, parallel_coordinates, slices
from search.report.figures.data import pit_counts
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
    "accepted_parts",
    "accuracy_curves",
    "best_so_far",
    "calibration",
    "choices_compared",
    "confusion",
    "importances",
    "loss_curves",
    "outcomes_by_fold",
    "parallel_coordinates",
    "pit_counts",
    "race",
    "readings",
    "roc",
    "rung_counts",
    "score_histograms",
    "seed_outcomes",
    "slices",
    "training_ends",
]
