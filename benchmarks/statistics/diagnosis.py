"""Measure whether `pitsearch diagnose` finds planted truths: flipped labels, a swapped slide, failures that are chance alone.

Everything is trained. Synthetic foils keep the true label of every pit in a column that pitsearch does not use. Knows nothing
of real foils, whose truth nobody knows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import cpu_count

from benchmarks.support.measure import Table
from foils import Dataset, load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import FOIL, SyntheticFoils, scaled_counts, synthesise
from search import defaults
from search.analysis.diagnose import DiagnosisInput, Labels, chance_asks, judged_labels, label_asks, weigh_chance, weigh_labels
from search.analysis.learning_curve_setup import sound_config
from search.analysis.permutation_tests import LEVEL
from search.training.cross_validation import train_repeats
from spaces import Config
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

# Fewer epochs and repeats than the command takes, so that this takes minutes.
PITS, EPOCHS, REPEATS, FOLDS, WIDTH = 1393, 10, 3, 5, 16
FLIPPED, FIRST = 0.05, 50
# A network without batch norm at a rate that is too high, on easy pits: some of its trainings never leave the constant answer,
# the others learn well, so that no fold's pits decide which it is.
CHANCE_RUNS, CHANCE_PITS, CHANCE_EPOCHS = 20, 400, 8
FAILS = Config(
    network=Network("pitnet", depth=3, width=8, norm="none"),
    optimiser=Optimiser("nesterov", 5e-2, batch_size=32),
)


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Plant and diagnose. `rounds`: data sets with flipped labels and with a swapped slide, 2 at most; `scale`: of pits, epochs
    (by its root) and runs of chance."""
    pits, epochs = max(250, round(PITS * scale)), max(4, round(EPOCHS * scale**0.5))
    with TemporaryDirectory() as place:
        seeds = range(1, 1 + min(rounds, 2))
        return [
            _flips(Path(place), seeds, pits, epochs),
            _slides(Path(place), seeds, pits, epochs),
            _chance(Path(place), max(2, round(CHANCE_RUNS * scale)), max(250, round(CHANCE_PITS * scale))),
        ]


def _flips(place: Path, seeds: range, pits: int, epochs: int) -> Table:
    rows = []
    for seed in seeds:
        options = SyntheticFoils(seed=seed, counts=scaled_counts(pits), flipped_share=FLIPPED)
        data = load(synthesise(place / f"flips-{seed}", options))
        diagnosis = _diagnose(data, epochs, seed)
        wrong = np.array([pit.label != dict(pit.further)["true_label"] for pit in data.pits])
        listed = [suspect.index for suspect in diagnosis.suspects]
        first = wrong[listed[:FIRST]]
        rows.append(
            [
                str(seed),
                str(len(data)),
                str(int(wrong.sum())),
                str(len(listed)),
                str(int(wrong[list(set(listed))].sum())),
                f"{int(first.sum())} of {len(first)}",
                f"{first.mean():.2f}" if len(first) else "none",
            ]
        )
    return Table(
        f"Flipped labels, {FLIPPED:.0%} of the pits, {epochs} epochs, {REPEATS} repeats: what is among the suspects",
        [
            "seed",
            "pits",
            "flipped",
            "suspects",
            "flipped among them",
            f"flipped among the first {FIRST}",
            "share",
        ],
        rows,
    )


def _slides(place: Path, seeds: range, pits: int, epochs: int) -> Table:
    rows = []
    for seed in seeds:
        options = SyntheticFoils(seed=seed, counts=scaled_counts(pits))
        plain = load(synthesise(place / f"plain-{seed}", options))
        # The slide whose exchange of candidate and bottom changes most pits; what pits look like does not depend on it.
        swapped = Counter(pit.slide for pit in plain.pits if pit.label in ("candidate", "bottom")).most_common(1)[0]
        data = load(synthesise(place / f"swapped-{seed}", replace(options, flipped_slides=(int(swapped[0]),))))
        diagnosis = _diagnose(data, epochs, seed)
        if not diagnosis.slides:  # at a tiny scale
            rows.append([str(seed), f"{FOIL}:{swapped[0]}: {swapped[1]}", *["no network learned"] * 5])
            continue
        worst = diagnosis.slides[0]
        rank = 1 + [member.name.split(":")[1] for member in diagnosis.slides].index(swapped[0])
        planted = diagnosis.slides[rank - 1]
        named = [member.name for member in diagnosis.standing_out if member is not planted]
        rows.append(
            [
                str(seed),
                f"{planted.name}: {swapped[1]} of {planted.pits}",
                str(rank),
                f"{planted.p:.4f}",
                f"{planted.excess:+.2f}",
                worst.name,
                ", ".join(named) or "none",
            ]
        )
    return Table(
        f"A slide with candidate and bottom exchanged, {pits} pits, {epochs} epochs, {REPEATS} repeats",
        ["seed", "slide: exchanged of its pits", "rank", "p", "excess", "named first", "others named"],
        rows,
    )


def _diagnose(data: Dataset, epochs: int, seed: int) -> Labels:
    """Ask the sound recipe, made narrower, for its say on the labels."""
    sound = sound_config(data)
    config = replace(sound, network=replace(sound.network, width=WIDTH))
    folds = tuple(map(int, fold_numbers(data, FOLDS, seed)))
    subject = DiagnosisInput(data, config, folds, epochs, defaults.WORKING_POINT, seed, "planted")
    names = judged_labels(subject)
    asks = label_asks(subject, names, REPEATS)
    ended = dict(train_repeats(asks, cpu_count()))
    return weigh_labels(subject, names, [(ask, ended[number]) for number, ask in enumerate(asks)])


def _chance(place: Path, runs: int, pits: int) -> Table:
    data = load(synthesise(place / "chance", SyntheticFoils(seed=1, counts=scaled_counts(pits), difficulty=0.0)))
    asks = []
    for run in range(runs):
        folds = tuple(map(int, fold_numbers(data, FOLDS, run)))
        subject = DiagnosisInput(data, FAILS, folds, CHANCE_EPOCHS, defaults.WORKING_POINT, run, "chance")
        asks += chance_asks(subject, defaults.DIAGNOSIS_SEEDS)
    ended = dict(train_repeats(asks, cpu_count()))
    of_run = [range(run * defaults.DIAGNOSIS_SEEDS, (run + 1) * defaults.DIAGNOSIS_SEEDS) for run in range(runs)]
    weighed = [weigh_chance([ended[number] for number in numbers], run) for run, numbers in enumerate(of_run)]
    failed = [int(np.sum(chance.failed)) for chance in weighed]
    trainings = defaults.DIAGNOSIS_SEEDS * FOLDS
    return Table(
        f"Random failures alone: {runs} runs of {defaults.DIAGNOSIS_SEEDS} seeds and {FOLDS} folds, {len(data)} pits",
        ["test", f"p > {LEVEL:g}", "least p", "median p"],
        [
            _row("failing, by fold", [chance.on_failing.fold.p for chance in weighed]),
            _row("failing, by seed", [chance.on_failing.seed.p for chance in weighed]),
            _row("acceptance, by fold", [chance.on_acceptance.fold.p for chance in weighed]),
            _row("acceptance, by seed", [chance.on_acceptance.seed.p for chance in weighed]),
        ],
        [
            f"real trainings of {FAILS.describe()}, each run with a split of its own: of {trainings} trainings "
            f"{min(failed)} to {max(failed)} failed, {np.mean(failed):.1f} on average"
        ],
    )


def _row(test: str, values: list[float]) -> list[str]:
    return [test, f"{sum(p > LEVEL for p in values)} of {len(values)}", f"{min(values):.4f}", f"{np.median(values):.2f}"]
