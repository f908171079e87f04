"""Notes in Markdown, for those who look at a study in Optuna's dashboard: of a trial, and of the study.

Knows nothing of where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from optuna.trial import FrozenTrial

from search.report.sections.answer import answer
from search.report.subject import Subject
from search.report.winner import winner_of
from search.text import duration
from search.trials.baseline import is_baseline
from search.trials.records import DAMAGE, Recipe, RungResult, TrialOrigin
from search.trials.reliability import tally
from spaces import Config
from spaces.known_configs import choices_of

# What Markdown would take for something else. A name of a user's stays as it is.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def trial_note(trial: FrozenTrial) -> str:
    """Say what a trial tried, how its folds ended, and how sure its numbers are; empty where it has not reached a rung.

    Raises StudyError where its records are damaged.
    """
    reached, recipe = RungResult.read(trial), Recipe.read(trial)
    if reached is None or recipe is None:
        return ""
    trainings, config = tally([reached]), Config.from_dict(recipe.config)
    lines = [f"**{plain(config.describe())}**", ""]
    if is_baseline(trial):
        lines += ["This is the network in use, which all others are compared with.", ""]
    lines += [
        f"- signal acceptance **{reached.quoted.share}**, of {sum(reached.signals)} signal pits",
        f"- background rejection at 90 % acceptance {reached.quoted_high.share}",
        f"- reliability {trainings} trainings learned, reseeds among them",
        f"- rung {reached.rung}, {reached.epochs_run} epochs in {duration(reached.seconds)}; seed {recipe.seed}",
    ]
    lines += [f"- {plain(text)}" for text in _remarks(trial, reached)]
    folds = zip(reached.verdicts, reached.acceptance, reached.auc, reached.accuracy, reached.reseeds, strict=True)
    rows = [
        (str(fold), verdict, f"{acceptance:.3f}", f"{auc:.3f}", f"{accuracy:.3f}", str(reseeds))
        for fold, (verdict, acceptance, auc, accuracy, reseeds) in enumerate(folds)
    ]
    lines += ["", *_table(("fold", "verdict", "acceptance", "AUC", "accuracy", "reseeds"), rows), ""]
    chosen = [(f"`{axis}`", plain(str(value))) for axis, value in choices_of(config).items()]
    return "\n".join([*lines, *_table(("axis", "choice"), chosen)])


def _remarks(trial: FrozenTrial, reached: RungResult) -> Iterable[str]:
    origin, damage = TrialOrigin.read(trial), DAMAGE.read(trial)
    if origin is not None and origin.origin is not None:
        yield f"taken from: {origin.origin}"
    if reached.would_prune is not None:
        yield f"never pruned; the pruner would have ended it on rung {reached.would_prune}"
    if reached.note is not None:
        yield reached.note
    if damage is not None:
        yield damage


def study_note(subject: Subject, report: str) -> str:
    """Say what a study has found so far, and where more is to be read; `report`: the address of its report."""
    status, plan = subject.status, subject.plan
    states = [
        (number, words)
        for number, words in (
            (status.complete, "complete"),
            (status.pruned, "pruned"),
            (status.paused, "paused"),
            (status.running, "running"),
            (status.waiting, "interrupted"),
            (status.failed, "failed"),
        )
        if number
    ]
    counts = ", ".join(f"{number} {words}" for number, words in states) or "none yet"
    pits = f"{len(plan.folds)} pits searched in {plan.ladder.folds} folds, {len(plan.held_out)} held out"
    options = plan.options
    return "\n".join(
        [
            plain(answer(subject, winner_of(subject))),
            "",
            f"**[The report of this study]({report})** has its figures, its warnings, and how to repeat it.",
            "",
            f"- trials: {counts}",
            f"- data: {plain(plan.folder)}, {pits}",
            f"- ladder {options.ladder}, pruner {options.pruner}, sampler {options.sampler}, seed {options.seed}",
        ]
    )


def plain(text: str) -> str:
    """Give text as Markdown that shows it as it is."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
