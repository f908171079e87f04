"""The trials whose choices are known before they start: the network in use, what a user enqueues, and the portfolio.

They come first, each once: an entry is done when a trial of its origin was not stopped or broken. Knows nothing of how trials
run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from search.studies.plan import Plan
from search.trials.records import TrialOrigin
from spaces import Config, Space
from spaces.axes import Scalar
from spaces.initial_configs import BASELINE, PORTFOLIO, SOUND, baseline, holds_whole, sound
from spaces.known_configs import KnownConfig
from spaces.suggest import configuration


@dataclass(frozen=True)
class InitialTrial:
    """One trial whose choices are known before it starts. The sampler learns nothing from one outside its space."""

    # What its choices were taken from.
    origin: str
    # On some axes of the space, the rest being the sampler's.
    choices: Mapping[str, Scalar]
    # All of it where the space does not hold it, None where it does.
    config: Config | None = None


def initial_trials(
    plan: Plan, data: Dataset, known: Sequence[KnownConfig], trials: Sequence[FrozenTrial], budget: int | None = None
) -> list[InitialTrial]:
    """List what is still to be run of a study, in order. `data`: the study's; `trials`: those of the study so far.

    `budget`: of all trials; of the portfolio no more come than it has room for, so that none is left waiting. Raises SpaceError
    where the space does not hold a known configuration.
    """
    space = plan.space
    for item in known:
        item.check(space)
    # The portfolio takes the place of the recipe, beside which it does no better from 2 minutes on: `benchmarks replay`.
    initial = [_baseline(space, data), *([] if plan.portfolio else [InitialTrial(SOUND, sound(space))])]
    initial += [InitialTrial(_origin("enqueued", item.choices), item.choices) for item in known]
    portfolio = [InitialTrial(_origin(PORTFOLIO, choices), choices) for choices in plan.portfolio]
    kept = [trial for trial in trials if trial.state != TrialState.FAIL]
    taken = {start.origin for trial in kept if (start := TrialOrigin.read(trial))}
    first, then = (
        [entry for origin, entry in {entry.origin: entry for entry in entries}.items() if origin not in taken]
        for entries in (initial, portfolio)
    )
    return first + then[: None if budget is None else max(0, budget - len(kept) - len(first))]


def _baseline(space: Space, data: Dataset) -> InitialTrial:
    choices = baseline(space, data.description.signal, data.description.channels)
    if holds_whole(space, choices):
        return InitialTrial(BASELINE, choices)
    return InitialTrial(BASELINE, {}, configuration(choices, space.schemes))


def _origin(kind: str, choices: Mapping[str, Scalar]) -> str:
    """Name a known configuration by its choices, wherever it was read from."""
    return f"{kind} {hashlib.sha256(json.dumps(dict(choices), sort_keys=True).encode()).hexdigest()[:12]}"
