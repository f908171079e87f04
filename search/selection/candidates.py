"""Rank a study's complete trials after the race: which are kept, which are dropped and why, which one wins.

A trial is kept that ran the race to its end, whose reliability's lower bound passes the bar and that did not overtrain. Those
are ranked by their mean acceptance over low false-positive rates on fresh splits, as in the race. Of all that lie within one
standard error of the first, by paired draws, and within GIVEN_UP of it, the one that is cheapest to use wins: the
one-standard-error rule of Breiman et al. (1984), which without that bound gives up whatever few pits cannot tell apart.
`benchmarks/search/selected.py` measures the effect. Knows nothing of the final model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from optuna.trial import FrozenTrial

from foils import Dataset
from models.inference.cost import inference_cost
from search.selection.confirm import ConfirmOptions, Entrant
from search.selection.confirmations import Drawn, draw_repeats
from search.selection.racing import optimism
from search.statistics.bootstrap import BootstrapShare
from search.statistics.intervals import Share
from search.studies.plan import Plan
from search.trials.configuration import config_of
from search.trials.objectives import second_of
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.reliability import Tally, tally, trainings_of
from spaces import Config

# Where more than this share of a configuration's trainings overtrained, the configuration is trained for too long.
OVERTRAINED = 0.1
# The mean acceptance that may be given up for a cheaper network.
GIVEN_UP = 0.01


@dataclass(frozen=True)
class Candidate:
    """A complete trial, ranked."""

    number: int
    config: Config
    # The acceptance that the search chose it for.
    searched: Share
    # The acceptance on fresh splits; None where it did not enter the race.
    confirmed: Share | None
    # Of all its trainings.
    tally: Tally
    # Multiply-adds a pit.
    cost: int
    kept: bool
    # Why it is kept or dropped.
    reason: str
    # Whether it is the winner.
    wins: bool = False
    # The winner's acceptance on fresh splits, less what choosing among the entrants flatters it by; None for others.
    unflattered: Share | None = None
    # The mean acceptance over low rates on fresh splits, by which candidates are ranked; None where it did not enter the race.
    mean: float | None = None


def rank_candidates(
    trials: Sequence[FrozenTrial], race: Sequence[Entrant], options: ConfirmOptions, plan: Plan, data: Dataset
) -> tuple[Candidate, ...]:
    """Rank complete trials, the kept ones first, then those that were dropped, then those that did not enter the race.

    `data`: the pits that trials may see.
    """
    drawn = {entrant.number: draw(entrant, plan, data) for entrant in race if entrant.repeats}
    entered = {entrant.number: entrant for entrant in race}
    two = second_of(plan.options.objectives) is not None
    candidates = [
        _candidate(trial, trials, entered.get(trial.number), drawn, options, data, two) for trial in rank_trials(trials)
    ]
    ranked = sorted((one for one in candidates if one.kept), key=lambda one: -(one.mean or 0.0))
    dropped = [one for one in candidates if not one.kept and one.number in entered]
    rest = [one for one in candidates if one.number not in entered]
    return (*_name_winner(ranked, drawn), *dropped, *rest)


def draw(entrant: Entrant, plan: Plan, data: Dataset) -> Drawn:
    """Draw an entrant's acceptance over its confirmations; entrants with as many are drawn alike."""
    return draw_repeats(plan, data, entrant.config, entrant.number, entrant.repeats)


def _candidate(
    trial: FrozenTrial,
    trials: Sequence[FrozenTrial],
    entrant: Entrant | None,
    drawn: Mapping[int, Drawn],
    options: ConfirmOptions,
    data: Dataset,
    two: bool,
) -> Candidate:
    config, result = config_of(trial), RungResult.demand(trial)
    trainings = entrant.tally if entrant else tally(trainings_of(trial, trials))
    is_kept, reason = _verdict(entrant, trainings, options, two)
    confirmed = drawn.get(trial.number)
    return Candidate(
        number=trial.number,
        config=config,
        searched=result.quoted.share,
        confirmed=None if confirmed is None else confirmed.acceptance.share,
        tally=trainings,
        cost=inference_cost(config, data.description.channels, data.description.crop),
        kept=is_kept,
        reason=reason,
        mean=None if confirmed is None else confirmed.mean.value,
    )


def describe_trial(
    trial: FrozenTrial, trials: Sequence[FrozenTrial], data: Dataset, entrant: Entrant | None = None, plan: Plan | None = None
) -> Candidate:
    """Give what is known of one complete trial; `entrant`, `plan`: where it ran a race to its end and was kept."""
    drawn = {} if entrant is None or plan is None else {trial.number: draw(entrant, plan, data)}
    candidate = _candidate(trial, trials, entrant, drawn, ConfirmOptions(), data, False)
    return replace(candidate, kept=entrant is not None, reason="not confirmed" if entrant is None else "kept")


def _verdict(entrant: Entrant | None, trainings: Tally, options: ConfirmOptions, two: bool) -> tuple[bool, str]:
    """Say whether an entrant is kept, and why; `two`: whether its study has two objectives."""
    if entrant is None:
        return False, f"not confirmed: not among the best {options.top}{' of the front' if two else ''}"
    if entrant.dropped is not None:
        return False, f"dropped: {entrant.dropped}"
    share = trainings.reliability
    if share is None or share.low < options.reliability:
        return False, f"dropped: its reliability's lower bound does not pass {options.reliability:g}"
    if trainings.overtrained > OVERTRAINED * trainings.trainings:
        return False, f"dropped: {trainings.overtrained} of {trainings.trainings} trainings overtrained"
    return True, "kept"


def _name_winner(ranked: Sequence[Candidate], drawn: Mapping[int, Drawn]) -> list[Candidate]:
    """Name the winner among kept candidates, ranked, and say why the others are not."""
    if not ranked:
        return []
    first = ranked[0]
    means = {one.number: drawn[one.number].mean for one in ranked}
    errors = {one.number: _error(means[first.number], means[one.number]) for one in ranked}
    gaps = {one.number: means[first.number].value - means[one.number].value for one in ranked}
    equals = [one for one in ranked if one is first or gaps[one.number] <= min(errors[one.number], GIVEN_UP)]
    winner = min(equals, key=lambda one: (one.cost, ranked.index(one)))
    unflattered = drawn[winner.number].acceptance.less(optimism([*drawn.values()])).share
    return [
        replace(named, unflattered=unflattered) if named.wins else named
        for named in (_with_reason(one, winner, first, equals) for one in ranked)
    ]


def _with_reason(one: Candidate, winner: Candidate, first: Candidate, equals: Sequence[Candidate]) -> Candidate:
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
