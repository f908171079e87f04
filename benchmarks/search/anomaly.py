"""Whether a model of background alone helps: detectors against the classifier and combined with it, on the same pits and folds.

The classifier is the sound recipe; the detectors' networks are that recipe under the scheme `anomaly`.
Combined are ranks, which know no label: a pit's mean rank by the two scores among all pits, each scored out of fold; and, of
all detectors together, the logarithms of the scores' odds by a logistic regression that was fitted to the other folds. A second
classifier, of another seed, is combined likewise: what it gains any second opinion gains. Intervals are over pits, which are
drawn again with their scores of every contender. No figure of time. BENCHMARK_DATA in the environment names a further data set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from joblib import cpu_count
from scipy.special import logit
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from benchmarks.search.losses import FOLDS, RATES, WORKING_POINT, some
from benchmarks.support.measure import DATA, Table, workers
from foils import load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.metrics import Floats
from models.networks.background import AnomalyClassifier
from models.networks.detectors import make_detector
from models.process import one_thread
from models.training.cross_validation import CrossValidation
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from search.analysis.learning_curve_setup import sound_config
from spaces.choices.detectors import DETECTORS
from spaces.choices.labelling import Labelling

PITS, EPOCHS, DRAWS = 1393, 30, 1000
# Apart from the set on which features and what they learn from were chosen, which had seed 0.
FIRST_SEED = 100
CLASSIFIER, AGAIN = "classifier", "second classifier"
AUTOENCODER = "autoencoder"
# What is trained; the detectors of features share one network, whose training does not depend on them.
TRAINED = (CLASSIFIER, AGAIN, "neighbours", AUTOENCODER)


@dataclass(frozen=True)
class Scored:
    """The scored pits of one cross-validation: where each is in its data set, its fold, whether it is signal, its scores."""

    pits: npt.NDArray[np.int64]
    folds: npt.NDArray[np.int64]
    is_signal: npt.NDArray[np.bool_]
    scores: Mapping[str, Floats]


def run(folder: str, pits: int, epochs: int, seed: int, name: str) -> Scored:
    """Cross-validate one of TRAINED on so many pits of a data set; pits, folds and training follow from the seed."""
    with one_thread():
        whole = load(folder)
        data = some(whole, pits, seed)
        folds = fold_numbers(data, FOLDS, seed)
        config = sound_config(data)
        if name not in (CLASSIFIER, AGAIN):
            config = replace(config, labelling=Labelling("anomaly", detector=name))
        task = make_task(data, config, epochs=epochs, working_point=WORKING_POINT)
        validation = CrossValidation(task, folds, seed + 1000 * (name == AGAIN))
        validation.advance(FOLDS, epochs)
        features = [kind for kind, detector in DETECTORS.items() if not detector.reconstructs]
        names = [name] if name not in features else features
        scores = {kind: np.zeros(len(data)) for kind in names}
        for training in validation.trainings.values():
            for kind in names:
                scores[kind][training.validate] = training.scores() if kind == name else detected(training, kind)
        place = {pit.pit: number for number, pit in enumerate(whole.pits)}
        scored = np.flatnonzero(data.is_scored)
        return Scored(
            np.array([place[data.pits[number].pit] for number in scored]),
            folds[scored],
            data.is_signal[scored],
            {kind: values[scored] for kind, values in scores.items()},
        )


@torch.no_grad()
def detected(training: FoldTraining, name: str) -> Floats:
    """Score a fold's validation pits by another detector over the same network; a mode of one image a pit alone."""
    classifier, inputs = cast(AnomalyClassifier, training.eval_model).eval(), training.task.inputs
    assert inputs.per_pit == 1 and training.task.kinds is not None
    everything = torch.arange(len(inputs.rows))
    features = torch.cat([classifier.embed(inputs.pick(part)) for part in everything.split(256)])
    validate = torch.from_numpy(training.validate)
    trained = training.task.weights > 0
    trained[validate] = False
    detector = make_detector(name, features.shape[1])
    detector.fit(features[trained], training.task.kinds[trained].numpy(), training.seed)
    scores: Floats = detector(features[validate]).softmax(1)[:, 0].double().numpy()
    return scores


def combined(scored: Scored) -> dict[str, Floats]:
    """Give the scores of all contenders: the classifier, each detector alone and beside it, all together."""
    scores = dict(scored.scores)
    ranks = {name: rankdata(values) for name, values in scores.items()}
    for name in (*DETECTORS, AGAIN):
        scores[f"classifier and {name}, ranks"] = ranks[CLASSIFIER] + ranks[name]
    odds = np.stack([logit(np.clip(scores[name], 1e-9, 1 - 1e-9)) for name in (CLASSIFIER, *DETECTORS)], 1)
    together = np.zeros(len(odds))
    for fold in np.unique(scored.folds):
        here = scored.folds == fold
        means, deviations = odds[~here].mean(0), odds[~here].std(0) + 1e-9
        fitted = LogisticRegression().fit((odds[~here] - means) / deviations, scored.is_signal[~here])
        together[here] = fitted.decision_function((odds[here] - means) / deviations)
    scores["classifier and all detectors, logistic"] = together
    del scores[AGAIN]
    return scores


def figures(scores: Floats, is_signal: npt.NDArray[np.bool_], times: npt.NDArray[np.int64]) -> Floats:
    """Give acceptance at each of RATES and the area under the curve, as `models.metrics.score` does, `[draws, figures]`.

    `times`: `[draws, pits]`, how often each pit is there.
    """
    order = np.argsort(-scores, kind="stable")
    # A threshold lies between scores that differ.
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    signal, background = (np.cumsum(times[:, order] * kind[order], axis=1)[:, ends] for kind in (is_signal, ~is_signal))
    accepted, passed = signal / signal[:, -1:], background / background[:, -1:]
    acceptance = [np.where(passed <= rate, accepted, 0.0).max(1) for rate in RATES]
    start = np.zeros((len(times), 1))
    area = np.trapezoid(np.hstack([start, accepted]), np.hstack([start, passed]), axis=1)
    return np.stack([*acceptance, area], 1)


def drawn(sets: Sequence[Scored], scores: Sequence[Mapping[str, Floats]], same: bool, seed: int = 0) -> dict[str, Floats]:
    """Give each contender's figures, the mean over sets, for pits drawn again, `[DRAWS, figures]`.

    `same`: the sets are parts of one data set, so that a pit that is drawn is drawn in all.
    """
    generator = np.random.default_rng(seed)
    shared = generator.poisson(1.0, (DRAWS, max(int(one.pits.max()) for one in sets) + 1))
    times = [shared[:, one.pits] if same else generator.poisson(1.0, (DRAWS, len(one.pits))) for one in sets]
    return {name: mean_figures(name, sets, scores, times) for name in scores[0]}


def mean_figures(
    name: str, sets: Sequence[Scored], scores: Sequence[Mapping[str, Floats]], times: Sequence[npt.NDArray[np.int64]]
) -> Floats:
    """Give one contender's figures, the mean over sets, `[draws, figures]`."""
    each = [figures(own[name], one.is_signal, often) for one, own, often in zip(sets, scores, times, strict=True)]
    mean: Floats = np.mean(each, axis=0)
    return mean


def measure(rounds: int = 3, scale: float = 1.0) -> list[Table]:
    """Compare over so many seeds. `scale`: of pits and epochs, the latter by its root."""
    pits, epochs = max(250, round(PITS * scale)), max(2, round(EPOCHS * scale**0.5))
    seeds = range(FIRST_SEED, FIRST_SEED + rounds)
    with TemporaryDirectory() as place:
        synthetic = [
            str(synthesise(Path(place) / str(seed), SyntheticFoils(seed=seed, counts=scaled_counts(pits)))) for seed in seeds
        ]
        tables = [_table("synthetic foils", synthetic, pits, epochs)]
        if os.environ.get(DATA):
            tables.append(_table(load(os.environ[DATA]).description.name, [os.environ[DATA]] * rounds, pits, epochs))
        return tables


def _table(name: str, folders: Sequence[str], pits: int, epochs: int) -> Table:
    with workers(cpu_count()) as pool:
        running = [
            [pool.submit(run, folder, pits, epochs, FIRST_SEED + number, trained) for trained in TRAINED]
            for number, folder in enumerate(folders)
        ]
        results = [[future.result() for future in futures] for futures in running]
    sets = [replace(parts[0], scores={name: s for part in parts for name, s in part.scores.items()}) for parts in results]
    scores = [combined(one) for one in sets]
    again = drawn(sets, scores, same=len(set(folders)) < len(folders))
    once = [np.ones((1, len(one.pits)), np.int64) for one in sets]
    plain = mean_figures(CLASSIFIER, sets, scores, once)[0]
    rows = []
    for contender in scores[0]:
        means = mean_figures(contender, sets, scores, once)[0]
        cells = [contender]
        for column in range(len(RATES) + 1):
            low, high = np.quantile(again[contender][:, column] - again[CLASSIFIER][:, column], (0.05, 0.95))
            gained = "" if contender == CLASSIFIER else f"{means[column] - plain[column]:+.3f} [{low:+.3f}, {high:+.3f}]"
            cells += [f"{means[column]:.3f}", gained]
        rows.append(cells)
    heads = [head for figure in (*(f"at {100 * rate:g} %" for rate in RATES), "AUC") for head in (figure, f"gain, {figure}")]
    signals, seeds = sum(int(one.is_signal.sum()) for one in sets), len(folders)
    return Table(
        f"Signal acceptance of models of background, out of fold: {name}, {pits} pits, {epochs} epochs, seeds: {seeds}",
        ["contender", *heads],
        rows,
        [f"means over seeds, {signals} signal pits in all; gain: over the classifier [90 % interval over pits, paired]"],
    )
