"""Figures of a study: each a function of plain values that gives a plotly `Figure`, for the report and for notebooks."""

from search.report.figures.history import best_so_far, rung_counts
from search.report.figures.readings import race, readings

__all__ = ["best_so_far", "race", "readings", "rung_counts"]
