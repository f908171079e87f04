"""Whether the numbers that a selection states are true: many small searches on fresh foils, judged on pits of known truth.

Each experiment draws its own foils, searches, confirms, selects and reads its held-out set. The same 20,000 fresh pits, which
no experiment has seen, tell the truth of what it stated. What the fresh splits said is of single trainings: its truth is the
mean over the winner's five trainings in the search, each scored alone on some of these pits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import cpu_count
from optuna.trial import FrozenTrial
from scipy import stats

from benchmarks.support.measure import Table
from benchmarks.support.truth import FEWEST, FRESH, Truth, draw_truth
from foils import Dataset, load
from foils.synthetic.synthesise import SyntheticFoils, synthesise
from models.inference.ensemble import Ensemble
from models.metrics import threshold_at
from models.process import one_thread
from search.errors import StudyError
from search.launcher.executors import Processes
from search.launcher.launch import launch
from search.selection.confirm import ConfirmOptions, entrant_of
from search.selection.final_model import make_final_model
from search.selection.held_out import read
from search.selection.outcome import Selection
from search.selection.select import select
from search.statistics.intervals import LEVEL, Share, wilson
from search.studies.options import Budget, Holdout, SearchOptions
from search.studies.plan import Plan
from search.training.cross_validation import CVRequest
from search.training.fold_cache import FoldKey, assemble, find_members
from search.training.pool import parallel_map
from search.trials.configuration import config_of
from search.trials.ladder import Ladder
from search.trials.records import Recipe, RungResult
from spaces import Range, Space

# Experiments at full scale, and the pits of each.
EXPERIMENTS = 100
COUNTS = {"candidate": 70, "top": 50, "bottom": 120, "misc": 20}
HOLDOUT, TRIALS, LADDER, RATE = 0.3, 5, "1x3,5x10", 0.05
TERMS = ConfirmOptions(top=3, repeats=2, reliability=0.5)
# Pits of the truth that single trainings are scored on: less than the whole, for there are dozens an experiment.
SOME = 3000
SPACE = Space(
    {
        "labelling.scheme": ("binary",),
        "channels.mode": ("single", "stacked"),
        "channels.light": ("1", "9"),
        "network.name": ("pitnet",),
        "network.depth": (2, 3),
        "network.width": (4, 8),
        "optimiser.name": ("adamw",),
        "optimiser.learning_rate": Range(1e-3, 3e-2, log=True),
        "optimiser.batch_size": (32,),
        "normalisation": ("dataset",),
    }
)


@dataclass(frozen=True)
class Stated:
    """What a final model stated, and the truth of it, at the working point."""

    # `acceptance`, `rejection`: read from the held-out set.
    acceptance: Share
    rejection: Share
    # `true_acceptance`, `true_rejection`: at the same threshold.
    true_acceptance: float
    true_rejection: float
    # The true acceptance where the true false-positive rate is the working point.
    at_rate: float


@dataclass(frozen=True)
class Experiment:
    """What one search stated and what is true."""

    # `searched`, `confirmed`: the winner's acceptance as the search and the fresh splits have it.
    searched: float
    confirmed: Share
    # `confirmed`, less what choosing among the confirmed ones adds.
    unflattered: Share
    # By kind.
    finals: dict[str, Stated]
    # The true acceptance of a training of the winner, the mean.
    single: float


def search_and_select(folder: str, seed: int, trials: int, terms: ConfirmOptions) -> tuple[Dataset, Selection] | None:
    """Draw fresh foils, search them and select; None where nothing could be kept."""
    data = load(synthesise(Path(folder) / "foils", SyntheticFoils(seed=seed, counts=COUNTS)))
    study = launch(
        data,
        SPACE,
        SearchOptions(seed=seed, working_point=RATE, ladder=Ladder.parse(LADDER), holdout=Holdout(HOLDOUT)),
        storage=f"sqlite:///{folder}/studies.db",
        budget=Budget(trials),
        executor=Processes(workers=1),
    )
    try:
        return data, select(study, terms, data=data, workers=1)
    except StudyError:
        return None


def experiment(truth: Truth, seed: int, terms: ConfirmOptions = TERMS) -> Experiment | None:
    """Search fresh foils, and ask how true is what comes of it; None where nothing could be kept."""
    with TemporaryDirectory() as folder, one_thread():
        ended = search_and_select(folder, seed, TRIALS, terms)
        return None if ended is None else _judge(*ended, truth)


def _judge(data: Dataset, selection: Selection, truth: Truth) -> Experiment:
    study, winner = selection.study, selection.winner
    opened, plan = study.optuna, study.plan
    searched, locked = plan.search_set(data), plan.held_out_set(data)
    entrant = entrant_of(opened, study.trial(winner.number), selection.key.repeats)
    refit = make_final_model(searched, plan, entrant, "refit", 1)
    looks = {
        "ensemble": (selection.model, selection.opening.held_out),
        "refit": (refit, read(refit.ensemble.scores(locked.crops()), locked, refit.thresholds)),
    }
    assert winner.confirmed is not None and winner.unflattered is not None  # a winner ran the race to its end
    return Experiment(
        searched=winner.searched.value,
        confirmed=winner.confirmed,
        unflattered=winner.unflattered,
        finals={
            name: _state(model.ensemble, model.thresholds[RATE], look.points[0].acceptance, look.points[0].rejection, truth)
            for name, (model, look) in looks.items()
        },
        single=float(np.mean(true_acceptances(own_trainings(study.trial(winner.number), searched, plan), truth))),
    )


def _state(ensemble: Ensemble, threshold: float, acceptance: Share, rejection: Share, truth: Truth) -> Stated:
    scores, is_signal = ensemble.scores(truth.read()), truth.is_signal
    bar = threshold_at(scores, is_signal, RATE)
    passed = scores >= threshold
    return Stated(
        acceptance,
        rejection,
        float(passed[is_signal].mean()),
        float((~passed)[~is_signal].mean()),
        float((scores >= bar)[is_signal].mean()),
    )


def own_trainings(trial: FrozenTrial, data: Dataset, plan: Plan) -> list[FoldKey]:
    """Name the five trainings that a trial ran in the search."""
    recipe = Recipe.demand(trial)
    ask = CVRequest(data, config_of(trial), plan.folds, recipe.seed, plan.ladder.epochs, plan.options.working_point)
    return [FoldKey(ask, RungResult.demand(trial).reseeds, fold) for fold in range(max(plan.folds) + 1)]


def true_acceptances(pieces: Sequence[FoldKey], truth: Truth) -> list[float]:
    """Give the true acceptance of some trainings, each alone."""
    crops, is_signal = truth.read(SOME), truth.is_signal[:SOME]
    acceptances = []
    for piece, member in zip(pieces, find_members(pieces, 1), strict=True):
        scores = np.nan_to_num(assemble(piece.ask.data, piece.ask.config, (member,)).scores(crops))
        acceptances.append(float((scores >= threshold_at(scores, is_signal, RATE))[is_signal].mean()))
    return acceptances


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Run the experiments. `scale`: of their number, and of the fresh pits; `rounds` changes nothing: each is a fresh one."""
    workers, count = cpu_count(), max(2, round(EXPERIMENTS * scale))
    with TemporaryDirectory() as folder:
        truth = draw_truth(Path(folder), max(FEWEST, round(FRESH * min(scale, 1.0))), COUNTS, workers)
        results = list(parallel_map(partial(experiment, truth), range(count), workers))
    experiments = [one for one in results if one is not None]
    return [
        coverage_table(experiments, count, len(truth.is_signal)),
        finals_table(experiments),
    ]


def coverage_table(experiments: Sequence[Experiment], count: int, fresh: int) -> Table:
    """Say how often the stated intervals hold the truth."""
    rows = []
    for name in ("ensemble", "refit"):
        stated = [one.finals[name] for one in experiments]
        rows.append([f"held-out acceptance, {name}", *_held([(s.acceptance, s.true_acceptance) for s in stated])])
        rows.append([f"held-out rejection, {name}", *_held([(s.rejection, s.true_rejection) for s in stated])])
    rows.append(["acceptance on fresh splits", *_held([(one.confirmed, one.single) for one in experiments])])
    rows.append(["the same, less the choice's optimism", *_held([(one.unflattered, one.single) for one in experiments])])
    searched = [one.searched - one.finals["ensemble"].true_acceptance for one in experiments]
    return Table(
        f"How often a stated {LEVEL:.0%} interval holds the truth, and by how much the figure is too high",
        ["figure", "intervals that hold the truth", "mean of figure minus truth"],
        [*rows, ["acceptance in the search", "none is stated", mean(searched)]],
        [
            f"{len(experiments)} of {count} searches kept a model, each on fresh foils of {sum(COUNTS.values())} pits; the "
            f"truth is measured on {fresh} fresh pits; held out: {HOLDOUT:.0%} of the groups, about "
            f"{round(COUNTS['candidate'] * HOLDOUT)} signal pits",
            "acceptance on fresh splits is of single trainings, and compared with the mean of single trainings",
        ],
    )


def finals_table(experiments: Sequence[Experiment], terms: ConfirmOptions = TERMS) -> Table:
    """Compare the ensemble with the refit."""
    rows = []
    for name in ("ensemble", "refit"):
        stated = [one.finals[name] for one in experiments]
        rows.append([name, mean([1 - s.true_rejection for s in stated]), *(mean(v) for v in _accepted(stated))])
    gains = [one.finals["ensemble"].at_rate - one.finals["refit"].at_rate for one in experiments]
    return Table(
        f"What is made of the winner, {terms.repeats} confirmations each, {len(experiments)} searches",
        ["final", f"true false-positive rate at the {RATE:.0%} threshold", "true acceptance there", f"at {RATE:.0%} exactly"],
        rows,
        [f"ensemble above refit, at {RATE:.0%} exactly, paired: {mean(gains)}"],
    )


def _accepted(stated: Sequence[Stated]) -> tuple[list[float], list[float]]:
    return [s.true_acceptance for s in stated], [s.at_rate for s in stated]


def _held(pairs: Sequence[tuple[Share, float]]) -> tuple[str, str]:
    inside = sum(share.low <= true <= share.high for share, true in pairs)
    return str(wilson(inside, len(pairs))), mean([share.value - true for share, true in pairs])


def mean(values: Sequence[float]) -> str:
    """Give a mean with its 90 % interval over experiments."""
    mean, error = float(np.mean(values)), float(stats.sem(values))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


if __name__ == "__main__":  # a minute; the searches of this module, an hour, are `python -m benchmarks coverage`
    from benchmarks.__main__ import markdown
    from benchmarks.statistics import fitted_coverage

    print(*map(markdown, fitted_coverage.measure()), sep="\n")
