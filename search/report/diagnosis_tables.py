"""Lay out a diagnosis and say in plain sentences what it says. Knows nothing of how the numbers came about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.training.verdicts import Verdict
from search.analysis.diagnose import Chance, Diagnosis
from search.analysis.permutation_tests import LEVEL, Effect, SlideGroup
from search.report.suspect_files import COLUMNS, cells
from search.trials.ladder import short_ladder

# Slides and suspects that the page shows; the files hold all suspects.
WORST, FIRST = 5, 10


def diagnosis_table(diagnosis: Diagnosis) -> RenderableType:
    """Show folds against seeds, what goes with what, the worst slides and styles, the first suspects, and the conclusions."""
    subject = diagnosis.subject
    parts: list[RenderableType] = [
        Text(f"{subject.what}: {subject.config.describe()}"),
        # As a line of its own: a title is wrapped to its table's width.
        Text(f"acceptance at {subject.working_point:.0%} false positives, seeds against folds"),
        _trainings(diagnosis.chance),
        _effects(diagnosis.chance),
    ]
    for title, members in (("slide", diagnosis.labels.slides), ("style", diagnosis.labels.styles)):
        if members:
            parts.append(_members(title, members))
    if diagnosis.labels.suspects:
        parts.append(_suspects(diagnosis))
    return Group(*parts, *(Text(line) for line in (*notes(diagnosis), "", *conclusions(diagnosis))))


def _trainings(chance: Chance) -> Table:
    table = Table()
    table.add_column("seed", justify="right")
    for fold in range(len(chance.acceptance[0])):
        table.add_column(f"fold {fold}", justify="right")
    table.add_column("mean", justify="right")
    for number, (row, verdicts) in enumerate(zip(chance.acceptance, chance.verdicts, strict=True)):
        shown = [
            f"{share:.3f}" if verdict == Verdict.LEARNED else f"{verdict} {share:.3f}"
            for share, verdict in zip(row, verdicts, strict=True)
        ]
        table.add_row(str(number), *shown, f"{np.mean(row):.3f}", end_section=number == len(chance.acceptance) - 1)
    means = [*np.mean(chance.acceptance, axis=0), np.mean(chance.acceptance)]
    table.add_row("mean", *(f"{share:.3f}" for share in means))
    return table


def _effects(chance: Chance) -> Table:
    table = Table(title="does it go with the fold, or with the seed?", title_justify="left")
    table.add_column("of")
    for cause in ("fold", "seed"):
        table.add_column(f"{cause}: p", justify="right")
        table.add_column("share of variance", justify="right")
    for name, effects in (("acceptance", chance.on_acceptance), ("failing", chance.on_failing)):
        table.add_row(name, *_effect(effects.fold), *_effect(effects.seed))
    return table


def _effect(effect: Effect) -> tuple[str, str]:
    return _p(effect.p), f"{effect.size:.2f}"


def _p(p: float) -> str:
    return f"{p:.4f}"


def _members(title: str, members: Sequence[SlideGroup]) -> Table:
    shown = members[:WORST]
    table = Table(title=f"{title}s whose labels are reproduced worst, {len(shown)} of {len(members)}", title_justify="left")
    table.add_column(title)
    for column in ("pits judged", "mean 1 - P(label)", "above pits of the same labels", "p"):
        table.add_column(column, justify="right")
    for member in shown:
        cells = member.name, str(member.pits), f"{member.error:.3f}", f"{member.excess:+.3f}", _p(member.p)
        table.add_row(*cells, style="bold" if member.p < LEVEL else None)
    return table


def _suspects(diagnosis: Diagnosis) -> Table:
    shown = diagnosis.labels.suspects[:FIRST]
    table = Table(title=f"suspect pits, the surest {len(shown)} of {len(diagnosis.labels.suspects)}", title_justify="left")
    for column in COLUMNS[:-1]:
        table.add_column(column, justify="right" if column in ("sure", "repeats") else "left")
    for suspect in shown:
        table.add_row(*cells(suspect, diagnosis.subject.data))
    return table


def notes(diagnosis: Diagnosis) -> Iterable[str]:
    """Say what the tables rest on."""
    labels = diagnosis.labels
    yield (
        f"judged for their labels: {labels.judged} of {len(diagnosis.subject.data)} pits, held-out pits not among them; "
        f"{labels.witnesses} of {labels.trainings} networks learned and count"
    )
    if labels.unjudged:
        yield f"labels not judged, never scored or on too few pits: {', '.join(labels.unjudged)}"
    yield "p: how often chance alone gives as much; of slides and of styles, as much on any of them"


def conclusions(diagnosis: Diagnosis) -> Iterable[str]:
    """Say in plain sentences whether failures and low scores go with the data or with the seed."""
    barely = short_ladder(diagnosis.subject.epochs)
    if barely is not None:
        yield barely
    yield failing_line(diagnosis.chance)
    yield acceptance_line(diagnosis.chance)
    for member in diagnosis.labels.standing_out:
        kind = "slide" if member in diagnosis.labels.slides else "style"
        yield (
            f"{kind} {member.name} stands out: the labels of its {member.pits} judged pits get {member.excess:.2f} less "
            f"probability than such labels do elsewhere, p = {_p(member.p)}; look at its labels and images"
        )
    if not diagnosis.labels.standing_out and (diagnosis.labels.slides or diagnosis.labels.styles):
        yield "no slide or style stands out" if diagnosis.labels.styles else "no slide stands out"
    count = len(diagnosis.labels.suspects)
    yield f"{count} suspect {'pit' if count == 1 else 'pits'} to look at" if count else "no suspect pits"


def failing_line(chance: Chance) -> str:
    """Say what failures follow."""
    verdicts = [verdict for row in chance.verdicts for verdict in row]
    failed = sum(verdict != Verdict.LEARNED for verdict in verdicts)
    effects = chance.on_failing
    if not failed:
        return f"no failures: all {len(verdicts)} trainings learned"
    if failed == 1:
        return f"one of {len(verdicts)} trainings failed, too few to tell fold from seed"
    counted = f"{failed} of {len(verdicts)} trainings failed"
    if failed == len(verdicts):
        return f"failures follow neither fold nor seed, but the configuration: {counted}"
    if effects.fold.p < LEVEL:
        shares = np.mean(chance.failed, axis=0)
        worst = int(np.argmax(shares))
        return (
            f"failures follow the fold: {counted}, in fold {worst} {shares[worst]:.0%}, p = {_p(effects.fold.p)}; "
            "look at the pits of that fold"
        )
    how = "some seeds in most folds" if effects.seed.p < LEVEL else "now in one fold, now in another"
    return (
        f"failures follow the seed, as far as can be told: {counted}, {how}; the fold explains no more than chance, "
        f"p = {_p(effects.fold.p)}"
    )


def acceptance_line(chance: Chance) -> str:
    """Say what acceptance follows."""
    effects, means = chance.on_acceptance, np.mean(chance.acceptance, axis=0)
    if effects.fold.p < LEVEL:
        worst = int(np.argmin(means))
        return (
            f"acceptance goes with the fold: fold {worst} is lowest, {means[worst]:.3f}, and the fold explains "
            f"{effects.fold.size:.0%} of the variance, p = {_p(effects.fold.p)}"
        )
    if effects.seed.p < LEVEL:
        return (
            f"acceptance goes with the seed, which explains {effects.seed.size:.0%} of the variance, p = {_p(effects.seed.p)}"
        )
    return f"acceptance goes with neither fold (p = {_p(effects.fold.p)}) nor seed (p = {_p(effects.seed.p)})"
