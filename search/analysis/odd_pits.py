"""Choose the pits worth a look: missed signals, background that looks like signal, and labels that networks do not believe.

All by scores out of fold, so that no network judges a pit that it trained on; held-out pits are not among them. Knows nothing
of images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from optuna.trial import FrozenTrial

from foils import Dataset
from foils.groups import MOST_COMPARED
from models.metrics import Flags, Floats
from search.analysis.out_of_fold import Ints, ScoredPits
from search.analysis.suspects import WITNESSES, LabelScores, Suspect, contradictions, find_suspects, merge, near_duplicates
from search.studies.plan import Plan
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.stored_scores import read_scores

# Trials of different configurations that judge the labels, at most.
JUDGES = 10
# What stands against the signal's label where only P(signal) is known.
BACKGROUND = "background"


@dataclass(frozen=True)
class OddPit:
    """A pit with its score."""

    index: int
    # Mean P(signal) over the cross-validations.
    score: float
    # Of how many cross-validations it was accepted in.
    accepted: int
    repeats: int


def missed_signals(scored: ScoredPits, rate: float) -> tuple[OddPit, ...]:
    """List the signal pits that fewer than half of the cross-validations accept at a rate, the least signal-like first."""
    passes, means = scored.accepted(rate), scored.means
    missed = np.flatnonzero(scored.signals & (passes.mean(0) < 0.5))
    return _listed(missed[np.argsort(means[missed], kind="stable")], passes, means)


def signal_like_background(scored: ScoredPits, rate: float) -> tuple[OddPit, ...]:
    """List the background pits that half of the cross-validations or more accept at a rate, the most signal-like first."""
    passes, means = scored.accepted(rate), scored.means
    passing = np.flatnonzero(scored.backgrounds & (passes.mean(0) >= 0.5))
    return _listed(passing[np.argsort(-means[passing], kind="stable")], passes, means)


def _listed(order: Ints, passes: Flags, means: Floats) -> tuple[OddPit, ...]:
    return tuple(OddPit(int(pit), float(means[pit]), int(passes[:, pit].sum()), len(passes)) for pit in order)


def doubted_labels(trials: Sequence[FrozenTrial], plan: Plan, data: Dataset) -> tuple[tuple[Suspect, ...], int]:
    """List the pits whose side, signal or background, is doubted, the surest first, and say how many trials judged.

    Doubted by the networks of the best complete trials of different configurations, JUDGES at most, or by a pit that shows the
    same plastic and is on the other side. `data`: the pits that trials may see. `diagnose` does the same with networks that
    have a class for every label, and so tells more.
    """
    all_votes = (votes for trial in rank_trials(trials) if (votes := _votes(trial, plan)) is not None)
    judges = [*islice(all_votes, JUDGES)]
    signal = data.description.signal
    sides = np.where(data.is_signal, signal, np.where(data.is_background, BACKGROUND, data.labels))
    votes = np.array(judges) if judges else np.zeros((0, len(data), 2))
    judged = LabelScores(votes, (signal, BACKGROUND), sides)
    scored = data.is_scored
    # As where data sets are read, more pits than that are not compared with one another: it would take minutes.
    alike = near_duplicates(data.crops(), data.groups) if len(data) <= MOST_COMPARED else []
    pairs = [pair for pair in alike if scored[pair[0]] and scored[pair[1]]]
    contradicted = contradictions(judged, pairs, [pit.pit for pit in data.pits])
    return merge(find_suspects(judged), contradicted), len(judges)


def _votes(trial: FrozenTrial, plan: Plan) -> Floats | None:
    """Give P(signal) and P(background), `[pits, 2]`, not a number where the network that judged the pit had not learned."""
    reached = RungResult.demand(trial)
    stored = read_scores(trial, reached.rung)
    if stored is None or len(stored.scores) != len(plan.folds):
        return None
    learned = np.array([verdict in WITNESSES for verdict in reached.verdicts])
    scores = np.where(learned[stored.folds], stored.scores, np.nan)
    return np.stack([scores, 1 - scores], axis=1)
