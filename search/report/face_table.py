"""Lay out what people see of two faces that were lined up. Knows nothing of how the numbers came about."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from scan.faces import FacePairs
from search.text import counted


def face_table(front: str, back: str, pairs: FacePairs) -> RenderableType:
    """Show how two faces lie to one another, and how many hits lie on both."""
    alignment = pairs.alignment
    x, y = alignment.deviation
    table = Table(title=f"{back} on {front}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("back to front", str(alignment.transform))
    table.add_row("hits", f"{len(pairs.front)} on the front, {len(pairs.back)} on the back")
    table.add_row("on both", f"{len(alignment.pairs)}; by chance {alignment.chance} at the most")
    table.add_row("residuals", f"deviation {x:.2f} in x, {y:.2f} in y, pixels")
    lines = []
    if pairs.not_accepted:
        left = counted(pairs.not_accepted, "hit")
        lines.append(f"{left} that the scan did not accept are left out; count them with --all-hits")
    return Group(table, *map(Text, lines))
