"""Lay out what people see of a scan. Knows nothing of how hits are found."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table

from scan.run import Scan


def scan_table(found: Scan) -> RenderableType:
    """Show a scan: what was looked at, hits, and the false ones to expect."""
    table = Table(title=f"scan {found.folder}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    area = "" if found.area_cm2 is None else f", {found.area_cm2:.4g} cm2"
    table.add_row("looked at", f"{len(found.frames)} frames{area}; {len(found.faults)} could not be looked at")
    where = "the networks, run fully convolutionally" if found.is_dense else "blobs of relief"
    table.add_row("where to look", f"told by {where}")
    table.add_row("hits", f"{len(found.hits)} kept, {found.accepted} accepted at P(signal) >= {found.threshold:.6g}")
    if found.area_cm2:
        table.add_row("", f"{found.accepted / found.area_cm2:.4g} accepted on a cm2")
    unknown = "not known: give frames without signal (--clean), or a rate of background (--background-per-cm2)"
    table.add_row("false hits", unknown if found.false_hits is None else f"expected: {found.false_hits}")
    return table
