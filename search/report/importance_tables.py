"""Lay out what mattered in a study, and how its uses of the lights compare. Knows nothing of how the numbers came about."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.analysis.importance import LEAST, LEAST_TOP, Importance, Weight
from search.analysis.light_usage import Use
from search.statistics.fitted import pooled_remarks
from search.text import counted


def importance_table(name: str, importance: Importance, uses: Sequence[Use]) -> RenderableType:
    """Show the axes by their weight for acceptance and for failing, and the uses of the lights where there are several."""
    parts: list[RenderableType] = [
        _weights_table(f"study {name}: what mattered for acceptance", importance.acceptance),
        Text(f"{counted(importance.finished, 'trial')}; {importance.pruned} pruned or paused, each below all that went on"),
        Text(""),
        _weights_table(f"study {name}: what mattered for failing to learn", importance.failure),
        Text(_failing_line(importance)),
        Text("importance: 0 to 1, how far the top quarter's choices differ from all; among the trials where the axis applies"),
        Text("chance: what 95 % of axes without any effect stay under; green: the whole interval lies above it"),
    ]
    if len(uses) > 1:
        parts += [Text(""), *uses_table(name, uses)]
    return Group(*parts)


def _weights_table(title: str, weights: Sequence[Weight]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("axis", no_wrap=True)
    table.add_column("trials", justify="right")
    table.add_column("importance [90 %]", no_wrap=True)
    table.add_column("chance", justify="right")
    table.add_column("matters", no_wrap=True)
    for weight in weights:
        if weight.value is None:
            table.add_row(weight.axis, str(weight.trials), "too few trials to tell", "", "", style="dim")
            continue
        table.add_row(
            weight.axis,
            str(weight.trials),
            f"{weight.value:.3f} [{weight.low:.3f}, {weight.high:.3f}]",
            f"{weight.chance:.3f}",
            "yes" if weight.matters else "",
            style="green" if weight.matters else None,
        )
    return table


def _failing_line(importance: Importance) -> str:
    some = f"{importance.failing or 'none'} of {counted(importance.finished, 'trial')} had a training that failed"
    if importance.failing < LEAST_TOP:
        return f"{some}: too few to tell what makes trainings fail, for which {LEAST_TOP} are needed"
    return f"{some}; an axis needs {LEAST} trials where it applies, {LEAST_TOP} of them failing"


def uses_table(name: str, uses: Sequence[Use]) -> list[RenderableType]:
    """Show the uses of the lights side by side, with what to mind when reading."""
    table = Table(title=f"study {name}: how important is angle", title_justify="left")
    table.add_column("use of the lights", no_wrap=True)
    for column in ("trials", "complete"):
        table.add_column(column, justify="right")
    table.add_column("best acceptance [90 %]", no_wrap=True)
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("median", justify="right")
    table.add_column("reliability [90 %]", no_wrap=True)
    for use in uses:
        light = f" (light {use.light})" if use.light is not None else ""
        table.add_row(
            ", ".join(part for part in (use.mode, use.lights, use.network) if part),
            str(use.trials),
            str(use.complete),
            "none complete" if use.best is None else str(use.best),
            "" if use.best_trial is None else f"{use.best_trial}{light}",
            "" if use.median is None else f"{use.median:.3f}",
            str(use.sound),
        )
    return [
        table,
        Text("best and median: of complete trials; the best of many is higher by chance alone, so compare medians, too"),
        Text("reliability: the share of all trials' trainings that did not fail; one that was cut short did not"),
        *map(Text, pooled_remarks(use.best for use in uses)),
    ]
