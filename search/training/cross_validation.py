"""Train a configuration again: one more cross-validation, with a split and a seed of its own, on whatever worker is free.

What comes of it is kept pit by pit, scored by the fold that did not train on it, so that pits, folds and seeds can be compared
afterwards. Knows nothing of studies or of what the repeats are for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foils import Dataset
from models.metrics import Floats
from search.counting import Step, no_step
from search.training.kept_results import data_key, resume
from search.training.pool import parallel_map
from spaces import Config

if TYPE_CHECKING:
    from models.training.cross_validation import (
        CrossValidation,  # imports torch, which whoever only reads results does not need
    )


@dataclass(frozen=True)
class CVRequest:
    """One cross-validation to be trained."""

    # The pits that may be seen.
    data: Dataset
    config: Config
    # The fold of each.
    folds: tuple[int, ...]
    # Everything random follows from it.
    seed: int
    epochs: int
    working_point: float
    # Whether a fold that collapses where its siblings learn is started again once, as in a trial.
    reseed: bool = True


@dataclass(frozen=True)
class Repeat:
    """How a cross-validation ended; one value a fold where there are several."""

    # `[pits, classes]`, of the classifier that did not train on the pit, signal first, 0 where that diverged; `accepted` of
    # `signals` are counts of pits at the fold's own threshold.
    probabilities: Floats
    accepted: tuple[int, ...]
    signals: tuple[int, ...]
    auc: tuple[float, ...]
    # Values of `models.training.verdicts.Verdict`.
    verdicts: tuple[str, ...]
    # How often a fold had collapsed and was started again.
    reseeds: tuple[int, ...]
    epochs_run: int
    seconds: float
    # Those of the reseeds that were not needed.
    needless: tuple[int, ...] = ()

    @property
    def scores(self) -> Floats:
        """P(signal), `[pits]`."""
        signal: Floats = self.probabilities[:, 0]
        return signal


def train_repeat(ask: CVRequest) -> Repeat:
    """Train one cross-validation from beginning to end, on one thread."""
    return summarise_folds(cross_validate(ask))


def cross_validate(ask: CVRequest, step: Step = no_step) -> CrossValidation:
    """Train every fold of a cross-validation to the end, on one thread; `step`: called after each epoch of a fold."""
    from models.process import one_thread
    from models.training.cross_validation import CrossValidation
    from models.training.task import make_task

    with one_thread():
        task = make_task(ask.data, ask.config, epochs=ask.epochs, working_point=ask.working_point)

        def check() -> None:
            step(validation.epochs_run, validation.abandoned + validation.count * ask.epochs)

        validation = CrossValidation(task, np.array(ask.folds), ask.seed, check, reseed=ask.reseed)
        step(0, validation.count * ask.epochs)
        validation.advance(validation.count, ask.epochs)
    return validation


def summarise_folds(validation: CrossValidation) -> Repeat:
    """Sum up how a cross-validation stands, every fold of which has been started."""
    results = validation.results()
    probabilities = np.zeros((len(validation.folds), len(validation.task.config.labelling.classes)))
    for training in validation.trainings.values():
        probabilities[training.validate] = training.probabilities()
    return Repeat(
        probabilities=probabilities,
        accepted=tuple(result.score.accepted for result in results),
        signals=tuple(result.score.signals for result in results),
        auc=tuple(result.score.auc for result in results),
        verdicts=tuple(result.verdict.value for result in results),
        reseeds=tuple(result.reseeds for result in results),
        epochs_run=validation.epochs_run,
        seconds=round(validation.seconds, 3),
        needless=tuple(result.needless for result in results),
    )


def train_repeats(asks: Sequence[CVRequest], workers: int, step: Step = no_step) -> Iterator[tuple[int, Repeat]]:
    """Train cross-validations on worker processes and give each with its number in `asks`, as they end.

    Those that had ended when a command was stopped come first, and are not trained again. `step`: called with how many these
    are, and after each that ends.
    """

    def train(missing: Sequence[tuple[int, CVRequest]]) -> Iterator[tuple[int, Repeat]]:
        return parallel_map(_numbered, missing, min(workers, max(len(missing), 1)))

    return resume(asks, _key, Repeat, train, step)


def train_here(ask: CVRequest, step: Step = no_step) -> Repeat:
    """Train one cross-validation in this process; one that had ended when a command was stopped is not trained again.

    `step`: called after each epoch of a fold, with how many there may be at most.
    """

    def train(missing: Sequence[tuple[int, CVRequest]]) -> Iterator[tuple[int, Repeat]]:
        return ((number, summarise_folds(cross_validate(one, step))) for number, one in missing)

    [(_, repeat)] = resume([ask], _key, Repeat, train)
    return repeat


def _key(ask: CVRequest) -> object:
    """Say what a cross-validation follows from."""
    of_training = [ask.config.to_dict(), ask.folds, ask.seed, ask.epochs, ask.working_point, ask.reseed]
    return ["cross-validation", data_key(ask.data), *of_training]


def _numbered(item: tuple[int, CVRequest]) -> tuple[int, Repeat]:
    return item[0], train_repeat(item[1])


def splits(folds: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Give the fold of each pit as plain numbers."""
    return tuple(map(int, folds))
