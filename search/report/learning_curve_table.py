"""Lay out a learning curve as a table, and say in a line what it says. Knows nothing of how the numbers came about."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.analysis.learning_curve import FOLDS, Curve, Rise
from search.statistics.fitted import pooled_remarks

# Practice asks for so many examples of each class before a network is blamed.
RULE_OF_THUMB = 500


def curve_table(curve: Curve) -> RenderableType:
    """Show each share's examples, acceptance and reliability, then what the end of the curve says."""
    table = Table(title=f"{curve.name}: learning curve at {curve.plot.working_point:.0%} false positives", title_justify="left")
    table.add_column("share", justify="right")
    for name in curve.classes:
        table.add_column(name, justify="right")
    table.add_column("acceptance [90 %]", no_wrap=True)
    table.add_column("learned", justify="right")
    table.add_column("reliability [90 %]", no_wrap=True)
    for point in curve.points:
        table.add_row(
            f"{point.share:.0%}",
            *(f"{count:.0f}" for count in point.examples),
            str(point.acceptance),
            f"{point.learned}/{point.trainings}",
            str(point.reliability),
        )
    return Group(table, *(Text(line) for line in _lines(curve)))


def _lines(curve: Curve) -> Iterable[str]:
    yield f"configuration: {curve.config.describe()}"
    repeats = "once" if curve.plot.repeats == 1 else f"{curve.plot.repeats} times"
    yield f"examples of each class: in a fold's training half, mean of {FOLDS} folds, cross-validated {repeats}"
    whole = curve.points[-1].examples
    rarest = min(range(len(whole)), key=whole.__getitem__)
    if whole[rarest] < RULE_OF_THUMB:
        times = RULE_OF_THUMB / whole[rarest]
        most = f"{curve.classes[rarest]} has {whole[rarest]:.0f} at most"
        yield f"rule of thumb: {RULE_OF_THUMB} examples of each class; {most}, {times:.1f} times fewer"
    else:
        yield f"rule of thumb: {RULE_OF_THUMB} examples of each class are there"
    yield from pooled_remarks(point.acceptance for point in curve.points)
    yield verdict_line(curve.last)


def verdict_line(last: Rise | None) -> str:
    """Say what the end of the curve says."""
    if last is None:
        return "one share makes no curve: give --shares two or more to see whether acceptance still rises"
    gain = f"{last.value:+.3f} [{last.low:+.3f}, {last.high:+.3f}], paired over folds and repeats"
    where = f"from {last.before:.0%} to {last.after:.0%} of the training pits"
    if last.low > 0:
        return f"acceptance still rises {where}: {gain}"
    if last.high < 0:
        return f"acceptance falls {where}: {gain}"
    return f"acceptance does not rise beyond chance {where}: {gain}"
