"""How often a verdict is right: many real trainings, good and bad, against what held-out pits say of them.

The verdict rests on training losses and validation pits. The criterion knows neither: it compares the final likelihood of pits
held out from both with a constant predictor's. The rules' bounds were chosen on trainings of other draws (seed 1) on other
foils (seeds 100 and 101); none of those is in the tables. No figure of time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import cpu_count

from benchmarks.search.trainings import NOISES, Ended, Recipe, draw_recipe, train, write_foils
from benchmarks.statistics.restarts import restarts_table
from benchmarks.support.measure import Spread, Table, workers
from models.training.verdicts import Verdict, judge
from search.statistics.intervals import wilson

PITS, TRAININGS = 600, 220
# The seed of the recipes. Those of seed 1, on foils of seeds 100 and 101, were looked at when the rules' bounds were chosen.
DRAWN = 2
# One-sided 95 %; what gain over the constant predictor, in shares of its loss, is worth having; and, of the best gain, what is
# lost when a training is called overtrained, over as many last epochs.
DEVIATIONS, WORTH, LOST, LAST = 1.645, 0.05, 0.5, 3
GREW = 2.0


class Criterion(StrEnum):
    """What held-out pits say of a training."""

    LEARNS = "learns"
    UNDECIDED = "undecided"
    NOT = "does not learn"
    OVERTRAINED = "overtrained"
    DIVERGED = "diverged"
    CUT = "cut short"


# Which verdict says what which criterion says. One that is undecided can be met by either.
AGREE = {
    Criterion.LEARNS: (Verdict.LEARNED,),
    Criterion.UNDECIDED: (Verdict.LEARNED, Verdict.COLLAPSED),
    Criterion.NOT: (Verdict.COLLAPSED,),
    Criterion.OVERTRAINED: (Verdict.OVERTRAINED,),
    Criterion.DIVERGED: (Verdict.DIVERGED,),
    Criterion.CUT: (Verdict.UNFINISHED,),
}


def label(ended: Ended) -> Criterion:
    """Label a training by its held-out pits; by its training pits only to tell an explosion from over-confidence."""
    if ended.recipe.stopped is not None:
        return Criterion.CUT
    if not all(map(math.isfinite, (*ended.held_out, ended.after))) or ended.after > GREW * max(ended.constant, ended.before):
        return Criterion.DIVERGED
    curve = np.array(ended.held_out)
    if len(curve) >= LAST:
        curve = np.convolve(curve, np.ones(LAST) / LAST, "valid")
    gained = max(ended.constant - curve.min(), WORTH * ended.constant)
    if min(curve[-1], ended.held_out[-1]) - curve.min() > LOST * gained and ended.after < ended.constant:
        return Criterion.OVERTRAINED
    gain, reach = ended.constant - ended.held_out[-1], DEVIATIONS * ended.error
    if gain + reach < WORTH * ended.constant:
        return Criterion.NOT
    return Criterion.LEARNS if gain > reach else Criterion.UNDECIDED


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Judge and label trainings on the foils of so many seeds. `scale`: of pits, trainings and, by its root, epochs."""
    pits, count = max(80, round(PITS * scale)), max(6, round(TRAININGS * scale))
    recipes = [draw_recipe(DRAWN, number, scale**0.5) for number in range(count)]
    with TemporaryDirectory() as place, workers(cpu_count()) as pool:
        drawn = [(noise, seed) for noise in NOISES for seed in range(rounds)]
        writing = {key: pool.submit(write_foils, Path(place), pits, *key) for key in drawn}
        folders = {key: future.result() for key, future in writing.items()}
        futures = [pool.submit(train, recipe, folders[recipe.noise, number % rounds]) for number, recipe in enumerate(recipes)]
        trained = [future.result() for future in futures]
    what = f"{count} trainings on synthetic foils of {pits} pits, {rounds} seeds"
    return [*tables(trained, what), restarts_table(trained, lambda ended: label(ended) is Criterion.LEARNS)]


def tables(trained: Sequence[Ended], what: str) -> list[Table]:
    """Set verdicts against the criterion."""
    pairs = [(judge(ended.evidence), label(ended)) for ended in trained]
    counts = Counter(pairs)
    rows = [[verdict.value, *(str(counts[verdict, told]) for told in Criterion)] for verdict in Verdict]
    confusion = Table(
        f"Verdicts against what held-out pits say: {what}",
        ["verdict", *Criterion],
        rows,
        [
            f"does not learn: that the final held-out loss lies {100 * WORTH:g} % under the constant predictor's is excluded by"
            f" {DEVIATIONS:g} standard errors; learns: that it does not lie under it is excluded likewise; undecided: neither",
            f"overtrained: {LOST:g} of the best gain was lost over the last {LAST} epochs, and after the last, while training"
            " pits cost less than the constant predictor",
            f"diverged: not finite, or training pits cost {GREW:g} times as much as the constant predictor and as before",
        ],
    )
    return [confusion, _rates(pairs), _apart(trained, pairs)]


def _rates(pairs: Sequence[tuple[Verdict, Criterion]]) -> Table:
    """Give sensitivity and specificity of `learned`, over trainings that were not cut short."""
    rows = []
    for name, left_out in (
        ("undecided left out", {Criterion.UNDECIDED}),
        ("undecided counted as not learning", set()),
        ("undecided and overtrained left out", {Criterion.UNDECIDED, Criterion.OVERTRAINED}),
    ):
        told = [pair for pair in pairs if pair[1] not in {Criterion.CUT, *left_out}]
        learns = [verdict is Verdict.LEARNED for verdict, criterion in told if criterion is Criterion.LEARNS]
        fails = [verdict is not Verdict.LEARNED for verdict, criterion in told if criterion is not Criterion.LEARNS]
        shares = [f"{wilson(sum(hits), len(hits))} of {len(hits)}" if hits else "none" for hits in (learns, fails)]
        rows.append([name, *shares])
    return Table(
        "The verdict `learned` against `learns`",
        ["trainings", "sensitivity", "specificity"],
        rows,
        ["sensitivity: the share of those that learn that is called learned; specificity: of the others, that is not [90 %]"],
    )


def _apart(trained: Sequence[Ended], pairs: Sequence[tuple[Verdict, Criterion]]) -> Table:
    """Show where verdict and criterion differ."""
    rows = []
    for verdict, told in sorted({pair for pair in pairs if pair[0] not in AGREE[pair[1]]}):
        here = [ended for ended, pair in zip(trained, pairs, strict=True) if pair == (verdict, told)]
        held, seen = (
            [losses[-1] / constant for losses, constant in ends]
            for ends in (
                [(ended.held_out, ended.constant) for ended in here],
                [(ended.evidence.validation_loss, ended.evidence.constant_loss) for ended in here],
            )
        )
        noisy = sum(ended.recipe.noise > 0 for ended in here)
        plain = sum(_is_plain(ended.recipe) for ended in here)
        figures = [str(Spread.of(values)) for values in (seen, held, [ended.auc for ended in here])]
        rows.append([verdict.value, told.value, str(len(here)), *figures, str(noisy), str(len(here) - plain)])
    return Table(
        "Where verdict and held-out pits differ",
        [
            "verdict",
            "held-out pits",
            "trainings",
            "validation loss / constant",
            "held-out loss / constant",
            "held-out AUC",
            "wrong labels",
            "other losses or balances",
        ],
        rows or [["none", *[""] * 7]],
        [
            "at the end: median [least, greatest]; wrong labels: trainings where"
            f" a share of them is, {' or '.join(map(str, NOISES[1:]))}"
        ],
    )


def _is_plain(recipe: Recipe) -> bool:
    return recipe.config.loss.name == "cross-entropy" and recipe.config.balance.name == "none"
