"""Lay out a Pareto front as a table. Knows nothing of how the numbers came about."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.statistics.fitted import pooled_remarks
from search.studies.pareto import ParetoTrial
from search.trials.objectives import OBJECTIVES, amount


def front_table(second: str, front: Sequence[ParetoTrial], most: int | None = None) -> RenderableType:
    """Show the trials on a front, highest acceptance first, at `most` so many; `second`: the objective beside acceptance."""
    if not front:
        return Text("front: no trial has climbed the whole ladder yet whose folds all learned")
    table = Table(title=f"front: {OBJECTIVES['acceptance'].words} against {OBJECTIVES[second].words}", title_justify="left")
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("acceptance [90 %]", no_wrap=True)
    table.add_column("cost" if second == "cost" else f"{second} [90 %]", justify="right", no_wrap=True)
    table.add_column("reliability [90 %]", no_wrap=True)
    table.add_column("configuration")
    for member in front[:most]:
        words = f"{member.config.describe()}{' (the network in use)' if member.in_use else ''}"
        table.add_row(str(member.number), str(member.acceptance), second_words(member), str(member.tally), words)
    more = len(front) - len(front[:most])
    remarks = pooled_remarks(share for member in front[:most] for share in (member.acceptance, member.interval))
    return Group(table, *([Text(f"... and {more} more")] if more else []), *map(Text, remarks))


def second_words(member: ParetoTrial) -> str:
    """Say a trial's value of the other objective, with its interval where it has one."""
    return amount(member.second) if member.interval is None else str(member.interval)
