"""Draw a learning curve: acceptance and reliability against the share of the training pits.

Each fold's validation pits stay the same at every share; only its training half shrinks, by whole groups, every label alike,
and a smaller share lies within a larger one. All trainings make about the same number of steps, by more epochs where pits are
few: the curve shows what examples bring, not what shorter training loses. A training that collapses is started again once, as
in a trial: the collapse counts in the reliability, not in the acceptance. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from joblib import cpu_count

from foils import Dataset
from foils.folds import fold_numbers
from models.metrics import Floats
from models.process import one_thread
from models.training.balance import count_shown, is_signal
from models.training.cross_validation import make_training, may_restart
from models.training.task import LEFT_OUT, Task, make_task
from models.training.verdicts import Verdict
from search import defaults
from search.counting import Step, no_step
from search.errors import StudyError
from search.seeds import derive_seed, make_generator
from search.statistics.fitted import fit_acceptance, mean_of
from search.statistics.intervals import Share, reliability
from search.statistics.paired_tests import compare_paired
from search.training.kept_results import data_key, resume
from search.training.pool import parallel_map
from spaces import Config

FOLDS = 5
# A class with fewer examples than this in a fold's training half cannot be learned, and a curve from there would show chance.
LEAST_PITS = 3


@dataclass(frozen=True)
class Plot:
    """What to draw."""

    # Of each fold's training pits, ascending.
    shares: tuple[float, ...] = defaults.SHARES
    # Cross-validations, each with fresh folds.
    repeats: int = defaults.REPEATS
    seed: int = 0
    epochs: int = defaults.CURVE_EPOCHS
    working_point: float = defaults.WORKING_POINT

    def __post_init__(self) -> None:
        if not self.shares or list(self.shares) != sorted(set(self.shares)) or not 0 < self.shares[0] <= self.shares[-1] <= 1:
            listed = ",".join(f"{share:g}" for share in self.shares) or "none"
            raise StudyError(f"shares must ascend within `0 < share <= 1`, but got {listed}; write e.g. 0.1,0.35,1.")
        for name, value, least in (("repeats", self.repeats, 1), ("epochs", self.epochs, 1), ("seed", self.seed, 0)):
            if value < least:
                raise StudyError(f"`{name} >= {least}` must hold, but got {value}; choose a larger number.")
        if not 0 < self.working_point < 1:
            raise StudyError(f"`0 < working point < 1` must hold, but got {self.working_point}; choose e.g. 0.05.")


@dataclass(frozen=True)
class Trained:
    """How the training of one fold at one share ended."""

    share: float
    repeat: int
    fold: int
    # Training pits of each class of the scheme.
    examples: tuple[int, ...]
    accepted: int
    signals: int
    learned: bool
    reseeds: int
    # P(signal) of the scored validation pits, and whether they are signal.
    scores: tuple[float, ...] = ()
    is_signal: tuple[bool, ...] = ()


@dataclass(frozen=True)
class CurvePoint:
    """What was measured at one share."""

    share: float
    # Of each class, the mean over trainings.
    examples: tuple[float, ...]
    # Its interval is over pits, as of one cross-validation: repeats score the same pits again.
    acceptance: Share
    # Trainings that learned, of so many.
    learned: int
    trainings: int

    @property
    def reliability(self) -> Share:
        """The share of trainings that learned, with its interval."""
        return reliability(self.learned, self.trainings)


@dataclass(frozen=True)
class Rise:
    """How acceptance changes between two shares, fold by fold and repeat by repeat, with its 90 % interval."""

    before: float
    after: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """A learning curve."""

    name: str
    config: Config
    plot: Plot
    # The scheme's, signal first.
    classes: tuple[str, ...]
    points: tuple[CurvePoint, ...]
    # The rise between the two largest shares; None where there is one share.
    last: Rise | None

    def __repr__(self) -> str:
        points = ", ".join(f"{point.share:g}: {point.acceptance}" for point in self.points)
        return f"Curve({self.name}: acceptance by share {points})"


def draw_curve(
    data: Dataset,
    config: Config,
    plot: Plot | None = None,
    *,
    workers: int | None = None,
    done: Step = no_step,
) -> Curve:
    """Train a configuration on growing shares of a data set's pits.

    `data`: the pits that may be seen; `workers`: processes, one a core by default, which change no number; `done` is told at
    first and of each training that ended. Raises StudyError where a share leaves a class too few pits, DataError or SpaceError
    where data and configuration do not fit.
    """
    plot = plot or Plot()
    task = _task(data, config, plot)
    jobs = [
        (share, repeat, fold)
        for share in reversed(plot.shares)  # the longest first, so that no worker is left with one at the end
        for repeat in range(plot.repeats)
        for fold in range(FOLDS)
    ]
    folds = [fold_numbers(data, FOLDS, plot.seed + repeat) for repeat in range(plot.repeats)]
    _check_examples(data, task, plot, folds)
    count, of_data = workers or cpu_count(), data_key(data)

    def key(job: tuple[float, int, int]) -> object:
        return ["learning curve", of_data, config.to_dict(), plot.seed, plot.epochs, plot.working_point, job]

    def train(missing: Sequence[tuple[int, tuple[float, int, int]]]) -> Iterator[tuple[int, Trained]]:
        work = partial(_train_job, data, config, plot, folds)
        return parallel_map(work, missing, min(count, max(len(missing), 1)))

    ended = (one for _, one in resume(jobs, key, Trained, train, done))
    trained = sorted(ended, key=lambda one: (one.share, one.repeat, one.fold))
    points = tuple(_point([one for one in trained if one.share == share], plot) for share in plot.shares)
    last = rise(trained, *plot.shares[-2:]) if len(plot.shares) > 1 else None
    return Curve(data.description.name, config, plot, config.labelling.classes, points, last)


def positions(data: Dataset, train: npt.NDArray[np.int64], seed: Sequence[int]) -> Floats:
    """Deal training pits out over 0 to 1, `[train]`: those up to a share are that share of every label, in whole groups.

    A group counts under the label that most of its pits have.
    """
    generator = make_generator(*seed)
    groups, of_pit = np.unique(data.groups[train], return_inverse=True)
    labels, of_label = np.unique(data.labels[train], return_inverse=True)
    table = np.zeros((len(groups), len(labels)), np.int64)
    np.add.at(table, (of_pit, of_label), 1)
    sizes, main = table.sum(1), table.argmax(1)
    place = np.empty(len(groups))
    for label in range(len(labels)):
        members = generator.permutation(np.flatnonzero(main == label))
        ends = np.cumsum(sizes[members])
        place[members] = (ends - sizes[members] / 2) / max(int(sizes[members].sum()), 1)
    where: Floats = place[of_pit]
    return where


def _train_job(
    data: Dataset,
    config: Config,
    plot: Plot,
    folds: Sequence[npt.NDArray[np.int64]],
    numbered: tuple[int, tuple[float, int, int]],
) -> tuple[int, Trained]:
    number, (share, repeat, fold) = numbered
    return number, train_share(data, config, plot, folds[repeat], share, repeat, fold)


def train_share(
    data: Dataset, config: Config, plot: Plot, folds: npt.NDArray[np.int64], share: float, repeat: int, fold: int
) -> Trained:
    """Train one fold on a share of its training pits, on one thread, and score its validation pits."""
    with one_thread():
        task = _task(data, config, plot)
        chosen, validate = _chosen(data, plot, folds, share, repeat, fold), np.flatnonzero(folds == fold)
        # As many steps as the whole training half would take.
        epochs = max(plot.epochs, round(plot.epochs * _steps(task, np.flatnonzero(folds != fold)) / _steps(task, chosen)))
        # The same seed at every share: networks start alike, and the paired differences are of the pits.
        for reseeds in range(2):
            seed = derive_seed(plot.seed, repeat, fold, reseeds)
            training = make_training(replace(task, epochs=epochs), chosen, validate, seed)
            training.advance(epochs)
            if not may_restart(training, epochs):
                break
        score, scored = training.score(), task.is_scored[validate]
        return Trained(
            share,
            repeat,
            fold,
            _examples(task, chosen),
            score.accepted,
            score.signals,
            training.verdict() is Verdict.LEARNED,
            reseeds,
            tuple(training.scores()[scored].tolist()),
            tuple(task.is_signal[validate][scored].tolist()),
        )


def rise(trained: Sequence[Trained], before: float, after: float) -> Rise:
    """Compare acceptance at two shares, training by training, with the interval of `search/statistics/paired_tests.py`."""
    by_training = {(one.share, one.repeat, one.fold): one for one in trained}
    repeats = sorted({one.repeat for one in trained})

    def table(share: float) -> list[list[Trained]]:
        return [[by_training[share, repeat, fold] for fold in range(FOLDS)] for repeat in repeats]

    least, most = (np.array([[one.accepted for one in row] for row in table(share)]) for share in (before, after))
    signals = np.array([[one.signals for one in row] for row in table(after)])  # every share has the same validation pits
    gain = compare_paired(most, least, signals).share
    return Rise(before, after, gain.value, gain.low, gain.high)


def _task(data: Dataset, config: Config, plot: Plot) -> Task:
    return make_task(data, config, epochs=plot.epochs, working_point=plot.working_point)


def _chosen(
    data: Dataset, plot: Plot, folds: npt.NDArray[np.int64], share: float, repeat: int, fold: int
) -> npt.NDArray[np.int64]:
    """Choose a share of a fold's training pits."""
    train = np.flatnonzero(folds != fold)
    return train[positions(data, train, (plot.seed, repeat, fold)) <= share]


def _steps(task: Task, pits: npt.NDArray[np.int64]) -> int:
    """Count the steps of an epoch on some pits."""
    trained = pits[task.weights.numpy()[pits] > 0]
    images = len(trained) * task.shown
    signals = int(is_signal(task.targets).numpy()[trained].sum()) * task.shown
    shown_counts = count_shown(task.config.balance, signals, images - signals)
    return shown_counts // min(task.config.optimiser.batch_size, shown_counts)


def _examples(task: Task, pits: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Count the examples of each class of the scheme among some pits; soft targets are of no class."""
    classes = task.classes.numpy()[pits]
    counts = np.bincount(classes[classes != LEFT_OUT], minlength=len(task.config.labelling.classes))
    return tuple(map(int, counts))


def _check_examples(data: Dataset, task: Task, plot: Plot, folds: Sequence[npt.NDArray[np.int64]]) -> None:
    """Raise StudyError where the smallest share leaves a class too few pits in some fold."""
    share, classes = plot.shares[0], task.config.labelling.classes
    for repeat, numbers in enumerate(folds):
        for fold in range(FOLDS):
            counts = _examples(task, _chosen(data, plot, numbers, share, repeat, fold))
            if min(counts) < LEAST_PITS:
                raise StudyError(
                    f"each class needs at least {LEAST_PITS} training pits in every fold, but a share of {share:g} leaves "
                    f"{classes[int(np.argmin(counts))]!r} {min(counts)}; choose larger --shares."
                )


def _point(trained: Sequence[Trained], plot: Plot) -> CurvePoint:
    repeats = [[one for one in trained if one.repeat == number] for number in range(plot.repeats)]
    scored = [[(np.array(one.scores), np.array(one.is_signal)) for one in folds] for folds in repeats]
    return CurvePoint(
        share=trained[0].share,
        examples=tuple(float(mean) for mean in np.mean([one.examples for one in trained], axis=0)),
        acceptance=mean_of([fit_acceptance(folds, plot.working_point) for folds in scored]).share,
        learned=sum(one.learned for one in trained),
        trainings=sum(1 + one.reseeds for one in trained),
    )
