"""What a study records of each confirmation: a trial's configuration, cross-validated again on a split and a seed of its own.

The splits follow from the study's seed and the number of the repeat, and so are the same for every trial; the search has seen
none of them. They are user attributes of the study, because Optuna changes no finished trial. Knows nothing of racing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import optuna
from optuna.trial import FrozenTrial

from foils import Dataset
from foils.folds import fold_numbers
from models.metrics import Floats
from search.errors import StudyError
from search.seeds import derive_seed
from search.selection.json_values import from_json, to_json
from search.statistics.bootstrap import DRAWS, BootstrapShare, Pits, draw_acceptance, up_to_rate
from search.studies.plan import Plan, read_plan
from search.training.cross_validation import CVRequest, Repeat, splits
from search.trials.reliability import Tally, tally, trainings_of, twins_of
from search.trials.rung_score import reach
from spaces import Config

# The key of a confirmation is this, the trial and the repeat.
CONFIRMATION = "pitsearch:confirmation"
# What sets the seeds of confirmations apart from those of the search.
APART = 0xC0F1
# The pits, and for each repeat their scores and folds.
Found = tuple[Pits, list[Floats], list[npt.NDArray[np.int64]]]


@dataclass(frozen=True)
class Confirmation:
    """How one repeat ended, one value a fold where there are several, as in `cross_validation.Repeat`."""

    # P(signal) out of fold, `[pits]`.
    scores: Floats
    accepted: tuple[int, ...]
    signals: tuple[int, ...]
    auc: tuple[float, ...]
    verdicts: tuple[str, ...]
    reseeds: tuple[int, ...]
    epochs_run: int
    seconds: float
    # Those of the reseeds that were not needed; empty where an older pitsearch wrote the record.
    needless: tuple[int, ...] = ()


def confirmation_request(plan: Plan, data: Dataset, config: Config, trial: int, repeat: int) -> CVRequest:
    """Say what a confirmation trains; `data`: the pits that trials may see."""
    ladder, seed = plan.ladder, plan.options.seed
    folds = splits(fold_numbers(data, ladder.folds, derive_seed(seed, APART, repeat)))
    return CVRequest(data, config, folds, derive_seed(seed, APART, repeat, trial), ladder.epochs, plan.options.working_point)


def confirmation_of(outcome: Repeat) -> Confirmation:
    """Give what is recorded of a cross-validation."""
    return Confirmation(**{field.name: getattr(outcome, field.name) for field in fields(Confirmation)})


def write_confirmation(study: optuna.Study, trial: int, repeat: int, outcome: Repeat) -> Confirmation:
    """Record a confirmation in its study."""
    confirmation = confirmation_of(outcome)
    study.set_user_attr(f"{CONFIRMATION}:{trial}:{repeat}", to_json(confirmation))
    return confirmation


def read_confirmations(study: optuna.Study) -> dict[tuple[int, int], Confirmation]:
    """Read every confirmation of a study, by trial and repeat. Raises StudyError for one that pitsearch did not write."""
    confirmations: dict[tuple[int, int], Confirmation] = {}
    for key, values in study.user_attrs.items():
        name, _, numbers = key.partition(f"{CONFIRMATION}:")
        if numbers and not name:
            what = f"the confirmation {key!r} of study {study.study_name!r}"
            if not re.fullmatch(r"[0-9]{1,9}:[0-9]{1,9}", numbers):
                raise StudyError(f"{what} must be of a trial and a repeat, but is not; another program wrote it: remove it.")
            trial, repeat = map(int, numbers.split(":"))
            confirmations[trial, repeat] = from_json(values, Confirmation, what)
    if confirmations:
        plan = read_plan(study)
        for (trial, repeat), confirmation in confirmations.items():
            what = f"the confirmation '{CONFIRMATION}:{trial}:{repeat}' of study {study.study_name!r}"
            check_confirmation(confirmation, what, len(plan.folds), plan.ladder.folds)
    return confirmations


def check_confirmation(confirmation: Confirmation, what: str, pits: int, folds: int) -> None:
    """Raise StudyError where there is not a score a pit and one value a fold."""
    counts = {len(getattr(confirmation, name)) for name in ("accepted", "signals", "auc", "verdicts", "reseeds")}
    if len(confirmation.scores) != pits or counts != {folds}:
        raise StudyError(
            f"{what} must have scores of {pits} pits and values of {folds} folds, but has {len(confirmation.scores)} and "
            f"{', '.join(map(str, sorted(counts)))}; another program wrote it: remove it."
        )


@dataclass(frozen=True)
class Drawn:
    """What a trial's confirmations came to, with its bootstrap."""

    # At the working point: what is quoted.
    acceptance: BootstrapShare
    # Over low rates, as on the rungs of the search: what trials are compared by.
    mean: BootstrapShare


def draw_repeats(plan: Plan, data: Dataset, config: Config, trial: int, repeats: Sequence[Confirmation]) -> Drawn:
    """Draw a trial's acceptance over its first confirmations; trials with as many are drawn alike."""
    found, options = _found(plan, data, config, trial, repeats), plan.options
    return Drawn(draw_acceptance(*found, options.working_point, seed=options.seed), _mean(plan, found))


def draw_mean(
    plan: Plan, data: Dataset, config: Config, trial: int, repeats: Sequence[Confirmation], draws: int = DRAWS
) -> BootstrapShare:
    """Draw what trials are compared by, over a trial's first confirmations, as `draw_repeats` does."""
    return _mean(plan, _found(plan, data, config, trial, repeats), draws)


def _mean(plan: Plan, found: Found, draws: int = DRAWS) -> BootstrapShare:
    low, seed = reach(plan.options.working_point), plan.options.seed
    return draw_acceptance(*found, low, credit=up_to_rate, seed=seed, draws=draws)


def _found(plan: Plan, data: Dataset, config: Config, trial: int, repeats: Sequence[Confirmation]) -> Found:
    """Give the pits, the scores of each repeat and its folds."""
    folds = [np.array(confirmation_request(plan, data, config, trial, repeat).folds) for repeat in range(len(repeats))]
    return Pits(data.groups, data.is_signal, data.is_scored), [repeat.scores for repeat in repeats], folds


def acceptance_of(repeat: Confirmation) -> float:
    """Give the mean acceptance of the folds of a repeat."""
    return float(np.divide(repeat.accepted, repeat.signals).mean())


def pooled_tally(
    trial: FrozenTrial,
    trials: Iterable[FrozenTrial],
    confirmations: Mapping[tuple[int, int], Confirmation],
    repeats: int | None = None,
) -> Tally:
    """Count the trainings of a complete trial's configuration: of every trial that had it, and of all their confirmations.

    `repeats`: how many of the trial's own count, where a race has not come to the others.
    """
    trials = [*trials]
    twins = twins_of(trial, trials)
    counted = [
        confirmations[number, repeat]
        for number, repeat in sorted(confirmations)
        if number in twins or (number == trial.number and (repeats is None or repeat < repeats))
    ]
    return tally([*trainings_of(trial, trials), *counted])
