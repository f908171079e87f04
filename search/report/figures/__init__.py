"""Figures of a study: each a function of plain values that gives a plotly `Figure`, for the report and for notebooks."""
