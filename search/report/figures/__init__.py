"""Figures of a study: each a function of plain values that gives a plotly `Figure`, for the report and for notebooks."""

from search.report.figures.acceptance import accepted_parts as accepted_parts
from search.report.figures.acceptance import calibration as calibration
from search.report.figures.acceptance import confusion as confusion
from search.report.figures.acceptance import roc as roc
from search.report.figures.acceptance import score_histograms as score_histograms
from search.report.figures.choices import choices_compared as choices_compared
from search.report.figures.choices import importances as importances
from search.report.figures.choices import parallel_coordinates as parallel_coordinates
from search.report.figures.choices import slices as slices
from search.report.figures.data import pit_counts as pit_counts
