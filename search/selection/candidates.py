"""Judge a study's complete trials after the race: who is kept, who is dropped and why, who wins.

Kept is what ran the race to its end, whose reliability's lower bound passes the bar and that did not overtrain. The kept are
ranked by the lower bound of their acceptance on fresh splits, a bootstrap over groups of pits and repeats. Of those that lie
within one standard error of the first, by paired draws, and within GIVEN_UP of it, the one that is cheapest to use wins: the
one-standard-error rule of Breiman et al. (1984), which by itself would give up whatever few pits cannot tell apart.
`benchmarks/search/selected.py` measures what that brings. Knows nothing of what is made of the winner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from optuna.trial import FrozenTrial

from foils import Dataset
from models.inference.cost import inference_cost
from search.selection.confirm import ConfirmOptions, Entrant, config_of
from search.selection.confirmations import ask_for
from search.statistics.bootstrap import BootstrapShare, Pits, draw_acceptance
from search.statistics.intervals import Share, wilson
from search.studies.plan import Plan
from search.trials.objectives import second_of
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.reliability import Tally, tally
from spaces import Config

# More than this share of a configuration's trainings that overtrained is no accident: it is trained for too long.
OVERTRAINED = 0.1
# The acceptance that may be given up for a cheaper network.
GIVEN_UP = 0.01


@dataclass(frozen=True)
class Candidate:
    """A complete trial as the selector sees it.

    `searched`: the acceptance that the search chose it for; `confirmed`: on fresh splits, None where it did not enter the race;
    `tally`: of all its trainings; `cost`: multiply-adds a pit; `wins`: whether it is the one.
    """

    number: int
    config: Config
    searched: Share
    confirmed: Share | None
    tally: Tally
    cost: int
    kept: bool
    reason: str
    wins: bool = False


def judge(
    trials: Sequence[FrozenTrial], race: Sequence[Entrant], terms: ConfirmOptions, plan: Plan, data: Dataset
) -> tuple[Candidate, ...]:
    """Judge complete trials, the kept ones first, then those that were dropped, then those that did not enter the race.

    `data`: the pits that trials may see.
    """
    drawn = {entrant.number: draw(entrant, plan, data) for entrant in race if entrant.repeats}
    entered = {entrant.number: entrant for entrant in race}
    two = second_of(plan.options.objectives) is not None
    made = [_candidate(trial, entered.get(trial.number), drawn, terms, data, two) for trial in rank_trials(trials)]
    kept = sorted((one for one in made if one.kept), key=lambda one: -(one.confirmed.low if one.confirmed else 0.0))
    dropped = [one for one in made if not one.kept and one.number in entered]
    rest = [one for one in made if one.number not in entered]
    return (*_crown(kept, drawn), *dropped, *rest)


def draw(entrant: Entrant, plan: Plan, data: Dataset) -> BootstrapShare:
    """Draw an entrant's acceptance over its confirmations; entrants with as many are drawn alike."""
    folds = [np.array(ask_for(plan, data, entrant.config, entrant.number, r).folds) for r in range(len(entrant.repeats))]
    pits = Pits(data.groups, data.is_signal, data.is_scored)
    return draw_acceptance(
        pits, [found.scores for found in entrant.repeats], folds, plan.options.working_point, seed=plan.options.seed
    )


def _candidate(
    trial: FrozenTrial,
    entrant: Entrant | None,
    drawn: Mapping[int, BootstrapShare],
    terms: ConfirmOptions,
    data: Dataset,
    two: bool,
) -> Candidate:
    config, reached = config_of(trial), RungResult.demand(trial)
    found = entrant.tally if entrant else tally([reached])
    kept, reason = _verdict(entrant, found, terms, two)
    return Candidate(
        number=trial.number,
        config=config,
        searched=wilson(*reached.pooled),
        confirmed=drawn[trial.number].share if trial.number in drawn else None,
        tally=found,
        cost=inference_cost(config, data.description.channels, data.description.crop),
        kept=kept,
        reason=reason,
    )


def _verdict(entrant: Entrant | None, found: Tally, terms: ConfirmOptions, two: bool) -> tuple[bool, str]:
    """Say whether an entrant is kept, and why; `two`: whether its study has two objectives."""
    if entrant is None:
        return False, f"not confirmed: not among the best {terms.top}{' of the front' if two else ''}"
    if entrant.dropped is not None:
        return False, f"dropped: {entrant.dropped}"
    share = found.reliability
    if share is None or share.low < terms.reliability:
        return False, f"dropped: its reliability's lower bound does not pass {terms.reliability:g}"
    if found.overtrained > OVERTRAINED * found.trainings:
        return False, f"dropped: {found.overtrained} of {found.trainings} trainings overtrained"
    return True, "kept"


def _crown(kept: Sequence[Candidate], drawn: Mapping[int, BootstrapShare]) -> list[Candidate]:
    """Name the winner among those kept, ranked, and say why the others are not."""
    if not kept:
        return []
    first = kept[0]
    errors = {one.number: _error(drawn[first.number], drawn[one.number]) for one in kept}
    gaps = {one.number: drawn[first.number].value - drawn[one.number].value for one in kept}
    equals = [one for one in kept if one is first or gaps[one.number] <= min(errors[one.number], GIVEN_UP)]
    winner = min(equals, key=lambda one: (one.cost, kept.index(one)))
    return [_crowned(one, winner, first, equals) for one in kept]


def _crowned(one: Candidate, winner: Candidate, first: Candidate, equals: Sequence[Candidate]) -> Candidate:
    if one is winner:
        cheaper = (
            "" if one is first else f": within one standard error of trial {first.number}, at {_times(one, first)} its cost"
        )
        return replace(one, wins=True, reason=f"winner{cheaper}")
    if one not in equals:
        return replace(one, reason=f"kept, beaten by trial {first.number}")
    return replace(one, reason=f"kept, equal to the winner at {_times(one, winner)} its cost")


def _times(one: Candidate, other: Candidate) -> str:
    return f"{one.cost / other.cost:.2g} times"


def _error(one: BootstrapShare, other: BootstrapShare) -> float:
    """Give the standard error of a difference, by paired draws; never less than one pit."""
    return max(float((one.draws - other.draws).std()), 1 / one.signals)
