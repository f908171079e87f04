"""The note of a trial in Markdown, for those who look at it in Optuna's dashboard. Knows nothing of where it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optuna.trial import FrozenTrial

from search.text import as_markdown, duration
from search.trials.records import DAMAGE, Recipe, RungResult, TrialOrigin
from search.trials.reliability import tally
from spaces import Config
from spaces.initial_configs import BASELINE
from spaces.known_configs import choices_of


def trial_note(trial: FrozenTrial) -> str:
    """Say what a trial tried, how its folds ended, and how sure its numbers are; empty where it has not reached a rung.

    Raises StudyError where its records are damaged.
    """
    reached, recipe = RungResult.read(trial), Recipe.read(trial)
    if reached is None or recipe is None:
        return ""
    trainings, config = tally([reached]), Config.from_dict(recipe.config)
    lines = [f"**{as_markdown(config.describe())}**", ""]
    origin = TrialOrigin.read(trial)
    if origin is not None and origin.origin == BASELINE:
        lines += ["This is the network in use, which all others are compared with.", ""]
    lines += [
        f"- signal acceptance **{reached.quoted.share}**, of {sum(reached.signals)} signal pits",
        f"- background rejection at 90 % acceptance {reached.quoted_high.share}",
        f"- reliability {trainings} trainings learned, reseeds among them",
        f"- rung {reached.rung}, {reached.epochs_run} epochs in {duration(reached.seconds)}; seed {recipe.seed}",
    ]
    lines += [f"- {as_markdown(text)}" for text in _remarks(trial, reached, origin)]
    folds = zip(reached.verdicts, reached.acceptance, reached.auc, reached.accuracy, reached.reseeds, strict=True)
    rows = [
        (str(fold), verdict, f"{acceptance:.3f}", f"{auc:.3f}", f"{accuracy:.3f}", str(reseeds))
        for fold, (verdict, acceptance, auc, accuracy, reseeds) in enumerate(folds)
    ]
    lines += ["", *_table(("fold", "verdict", "acceptance", "AUC", "accuracy", "reseeds"), rows), ""]
    # On one line: a table of thirty axes would push the pictures out of sight.
    chosen = [f"`{axis}` {as_markdown(str(value))}" for axis, value in choices_of(config).items()]
    return "\n".join([*lines, "; ".join(chosen)])


def _remarks(trial: FrozenTrial, reached: RungResult, origin: TrialOrigin | None) -> Iterable[str]:
    damage = DAMAGE.read(trial)
    if origin is not None and origin.origin is not None:
        yield f"taken from: {origin.origin}"
    if reached.would_prune is not None:
        yield f"never pruned; the pruner would have ended it on rung {reached.would_prune}"
    if reached.note is not None:
        yield reached.note
    if damage is not None:
        yield damage


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
