"""Choose what a learning curve is of: the pits that may be seen, the configuration, and the working point.

Without a study: the sound recipe, on the pits that a launch would search. With one: its best complete trial, on
the pits that its trials saw. Either way held-out pits stay locked away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import cpu_count

from foils import Dataset
from foils.held_out_log import read_log
from foils.hold_out import hold_out
from search import defaults
from search.analysis.learning_curve import FOLDS, Curve, Plot, draw_curve
from search.counting import Step, shown
from search.errors import StudyError
from search.studies.study import Study, study_data
from search.trials.configuration import config_of
from search.trials.ranking import best_trial
from spaces import Config, Space
from spaces.axes import Scalar
from spaces.initial_configs import sound
from spaces.suggest import parameters, suggest


@dataclass(frozen=True)
class CurveInput:
    """What a curve is of."""

    # The pits that may be seen.
    data: Dataset
    config: Config
    working_point: float


def learning_curve(
    subject: Study | Dataset,
    *,
    data: str | Path | None = None,
    shares: Sequence[float] = defaults.SHARES,
    repeats: int = defaults.REPEATS,
    seed: int = 0,
    epochs: int = defaults.CURVE_EPOCHS,
    workers: int | None = None,
    progress: bool | Step = True,
) -> Curve:
    """Draw the learning curve of a study's best complete trial, or of the sound recipe on a data set.

    `data`: the folder of the study's data, if it has moved; `progress` is called at first and after each training that ended,
    True shows it on stderr, with the time left; the rest is as for `Plot` and `draw_curve`. Raises StudyError where the study
    has no complete trial, or was made from other data.
    """
    taken = study_subject(subject, data) if isinstance(subject, Study) else sound_subject(subject)
    plot = Plot(tuple(shares), repeats, seed, epochs, taken.working_point)
    with shown(progress, "trainings", workers or cpu_count()) as done:
        return draw_curve(taken.data, taken.config, plot, workers=workers, done=done)


def parse_shares(text: str) -> tuple[float, ...]:
    """Read shares as they are typed, `0.1,0.35,1`. Raises StudyError for what is no number."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise StudyError(f"shares must be numbers with commas between them, but got {text!r}; write e.g. 0.1,0.35,1.") from None


def sound_subject(whole: Dataset) -> CurveInput:
    """Take the sound recipe on the pits of a data set that a launch would search."""
    data = hold_out(whole, log=read_log(whole.folder)).search
    return CurveInput(data, sound_config(data), defaults.WORKING_POINT)


def study_subject(study: Study, folder: str | Path | None = None) -> CurveInput:
    """Take a study's best complete trial. Raises StudyError where it has none, or was made from other data."""
    return CurveInput(study.plan.search_set(study_data(study, folder)), best_config(study), study.plan.options.working_point)


def sound_config(data: Dataset) -> Config:
    """Give the sound recipe; what the data cannot carry takes the default space's first choice."""
    labels = [label for label, count in data.counts().items() if count >= FOLDS]
    space = Space().fit(labels, data.description.channels)
    return suggest(_Fixed(parameters(space, sound(space))), space)


def best_config(study: Study) -> Config:
    """Give the configuration of a study's best complete trial. Raises StudyError where it has none."""
    best = best_trial(study.optuna.get_trials(deepcopy=False))
    if best is None:
        raise StudyError(f"study {study.name!r} must have a complete trial, but has none; launch more trials.")
    return config_of(best)


class _Fixed:
    """Answers a space's questions by choices made before, and by the first choice where none was."""

    def __init__(self, chosen: Mapping[str, Scalar]) -> None:
        self.chosen = chosen

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:
        return self.chosen.get(name, choices[0])

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool) -> int:
        return int(self.chosen.get(name, low))

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool) -> float:
        return float(self.chosen.get(name, low))
