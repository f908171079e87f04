"""The trials whose choices are known before they start: the network in use, the sound recipe, and what a user enqueues.

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
from spaces.initial_configs import BASELINE, SOUND, baseline, holds_whole, sound
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
    plan: Plan, data: Dataset, known: Sequence[KnownConfig], trials: Sequence[FrozenTrial]
) -> list[InitialTrial]:
    """List what is still to be run of a study, in order. `data`: the study's; `trials`: those of the study so far.

    Raises SpaceError where the space does not hold a known configuration.
    """
    space = plan.space
    for item in known:
        item.check(space)
    initial = [_baseline(space, data), InitialTrial(SOUND, sound(space))]
    initial += [InitialTrial(_origin(item), item.choices) for item in known]
    taken = {start.origin for trial in trials if trial.state != TrialState.FAIL and (start := TrialOrigin.read(trial))}
    return [entry for origin, entry in {entry.origin: entry for entry in initial}.items() if origin not in taken]


def _baseline(space: Space, data: Dataset) -> InitialTrial:
    choices = baseline(space, data.description.signal, data.description.channels)
    if holds_whole(space, choices):
        return InitialTrial(BASELINE, choices)
    return InitialTrial(BASELINE, {}, configuration(choices, space.schemes))


def _origin(known: KnownConfig) -> str:
    """Name a known configuration by its choices, wherever it was read from."""
    return "enqueued " + hashlib.sha256(json.dumps(dict(known.choices), sort_keys=True).encode()).hexdigest()[:12]
