"""Read the configuration that a trial tried. Knows nothing of how it came about."""

from __future__ import annotations

from optuna.trial import FrozenTrial

from search.trials.records import Recipe
from spaces import Config


def config_of(trial: FrozenTrial) -> Config:
    """Read a trial's configuration. Raises StudyError where it has none."""
    return Config.from_dict(Recipe.demand(trial).config)
