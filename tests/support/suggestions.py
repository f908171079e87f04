"""Random trials of a space: each configuration with what its trial was asked."""

from __future__ import annotations

from typing import Any

import optuna

from spaces.config import Config
from spaces.space import Space
from spaces.suggest import suggest

# A configuration, and the parameters that its trial was asked.
Suggestion = tuple[Config, dict[str, Any]]


def suggestions(space: Space, count: int, seed: int = 0) -> list[Suggestion]:
    """Ask random trials; each configuration with what its trial was asked."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    pairs = []
    for _ in range(count):
        trial = study.ask()
        pairs.append((suggest(trial, space), trial.params))
    return pairs
