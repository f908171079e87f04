"""Lay out what people see of hits compared with true places. Knows nothing of how the numbers came about."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scan.comparison import Comparison
from scan.intervals import Estimate
from scan.match import RULES
from search.text import counted


def match_table(hits: str, truth: str, comparison: Comparison) -> RenderableType:
    """Show how many places were found, how purely and how near."""
    matched = comparison.match
    where = "on the foil" if comparison.on_foil else "on frames"
    table = Table(title=f"{hits} against {truth}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("rule", f"{RULES[matched.rule]}; within {comparison.radius:g} pixels {where}")
    table.add_row("places", f"{matched.found} found, {matched.missed} missed")
    table.add_row("hits", f"{comparison.hits}, {matched.false} of them false{_why(comparison)}")
    table.add_row("efficiency", _said(matched.efficiency, "there are no places"))
    table.add_row("purity", _said(matched.purity, "there are no hits"))
    if comparison.per_cm2 is None or comparison.area_cm2 is None:
        table.add_row("false per cm2", "the area is not known; give it with --area-cm2")
    else:
        table.add_row("false per cm2", f"{comparison.per_cm2} on {comparison.area_cm2:.4g} cm2")
    if comparison.residuals is not None:
        one = comparison.residuals
        table.add_row(
            "hit - place",
            f"x {one.x_mean:+.2f}, deviation {one.x_deviation:.2f}; "
            f"y {one.y_mean:+.2f}, deviation {one.y_deviation:.2f} pixels",
        )
    lines = ["intervals: 95 %"]
    if comparison.not_accepted:
        left = counted(comparison.not_accepted, "hit")
        lines.append(f"{left} that the scan did not accept are left out; count them with --all-hits")
    return Group(table, *map(Text, lines))


def _why(comparison: Comparison) -> str:
    """Say what false hits lie on."""
    parts = []
    if comparison.second:
        parts.append(f"{comparison.second} on a place that another hit found")
    if comparison.fragments is not None:
        parts.append(counted(comparison.fragments, "fragment"))
    return f" ({', '.join(parts)})" if parts else ""


def _said(estimate: Estimate | None, otherwise: str) -> str:
    return otherwise if estimate is None else str(estimate)
