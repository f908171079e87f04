"""Verdicts, on rules by hand and on curves of trainings that really ended so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from foils import Dataset, load
from foils.folds import fold_numbers
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.verdicts import NEARLY, Evidence, Verdict, beyond_chance, judge
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from tests.support.record import CASES, FOLDER, read
from tests.support.tiny import write_dataset

GOOD = Evidence([0.7, 0.5, 0.3, 0.2], [0.6, 0.5, 0.4, 0.4], 0.6, 0.6, 0.95, 40, 200, 0.2, 4)
RECORDED = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.LEARNED),
        ({"planned": 5}, Verdict.UNFINISHED),
        ({"train_loss": [0.7, float("nan")], "planned": 5}, Verdict.DIVERGED),
        ({"validation_loss": [0.6, float("inf")]}, Verdict.DIVERGED),
        ({"train_loss": [0.7, 0.9, 1.2, 1.5]}, Verdict.DIVERGED),
        ({"train_loss": [0.7, 0.7, 0.7, 1.3]}, Verdict.LEARNED),
        ({"train_loss": [50.0, 20.0, 9.0, 2.5]}, Verdict.DIVERGED),
        ({"train_loss": [50.0, 20.0, 9.0, 2.3]}, Verdict.LEARNED),
        # A loss on another scale is compared with the constant predictor on that scale.
        ({"train_loss": [0.07, 0.07, 0.07, 0.15], "train_constant": 0.06}, Verdict.DIVERGED),
        ({"auc": 0.5}, Verdict.COLLAPSED),
        ({"auc": 0.55}, Verdict.COLLAPSED),
        ({"auc": 0.64}, Verdict.LEARNED),
        ({"accepted": 0.0}, Verdict.LEARNED),
        ({"accepted": 1.0}, Verdict.LEARNED),
        ({"accepted": 0.0, "validation_loss": [0.6, 0.6, 0.6, 0.58]}, Verdict.COLLAPSED),
        ({"accepted": 0.99, "validation_loss": [0.6, 0.6, 0.6, 0.58]}, Verdict.COLLAPSED),
        ({"accepted": 0.2, "validation_loss": [0.6, 0.6, 0.6, 0.58]}, Verdict.LEARNED),
        ({"accepted": 0.2, "validation_loss": [0.6, 0.6, 0.6, 0.61]}, Verdict.COLLAPSED),
        ({"accepted": 0.2, "validation_loss": [0.6, 0.6, 0.6, 0.61], "under_way": True}, Verdict.LEARNED),
        ({"accepted": 0.0, "validation_loss": [0.6, 0.6, 0.6, 0.61], "under_way": True}, Verdict.COLLAPSED),
        ({"validation_loss": [0.2, 0.2, 0.2, 1.0]}, Verdict.OVERTRAINED),
        ({"validation_loss": [0.2, 0.2, 0.2, 0.59]}, Verdict.LEARNED),
        # Over-confident from the first epochs on: there was nothing to lose, and it is lost.
        ({"validation_loss": [0.8, 0.8, 0.9, 1.4]}, Verdict.OVERTRAINED),
        ({"validation_loss": [0.2, 0.2, 0.2, 0.59], "train_loss": [0.1, 0.1, 0.1, 0.2]}, Verdict.LEARNED),
        ({"validation_loss": [0.2, 0.2, 0.2, 1.0], "train_loss": [0.1, 0.1, 0.1, 0.2]}, Verdict.COLLAPSED),
        # Both losses rise over the constant predictor's: no over-confidence.
        ({"validation_loss": [0.2, 0.2, 0.2, 1.0], "train_loss": [0.9, 0.9, 0.9, 0.8]}, Verdict.COLLAPSED),
    ],
)
def test_the_rules_in_their_order(change: dict[str, object], verdict: Verdict) -> None:
    assert judge(replace(GOOD, **change)) is verdict  # type: ignore[arg-type]  # the table mixes fields


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_training_is_judged_as_it_was_spoilt(path: Path) -> None:
    verdict, evidence = read(path)
    assert verdict is CASES[path.stem].verdict
    assert judge(evidence) is verdict


def test_every_case_is_recorded_and_every_verdict_more_than_once() -> None:
    assert {path.stem for path in RECORDED} == set(CASES)
    assert min(Counter(read(path)[0] for path in RECORDED)[verdict] for verdict in Verdict) >= 2


def test_the_hard_cases_are_as_hard_as_they_say() -> None:
    evidence = {path.stem: read(path)[1] for path in RECORDED}
    biased, rare, growing = (evidence[name] for name in ("collapsed-to-background", "learned-few-accepted", "diverged-growing"))
    assert biased.accepted == 0
    assert beyond_chance(biased.auc, biased.signals, biased.backgrounds)
    assert rare.accepted <= NEARLY
    assert all(np.isfinite([*growing.train_loss, *growing.validation_loss]))
    confident = evidence["learned-over-confident"]
    assert confident.validation_loss[-1] > min(confident.validation_loss)
    assert confident.train_loss[-1] < confident.train_loss[int(np.argmin(confident.validation_loss))]


def test_chance_passes_once_in_a_hundred() -> None:
    generator = np.random.default_rng(0)
    signal = np.arange(240) < 40
    ranks = np.array([generator.permutation(240) for _ in range(4000)])
    aucs = (ranks[:, signal].sum(1) - 40 * 39 / 2) / (40 * 200)
    passed = np.mean([beyond_chance(auc, 40, 200) for auc in aucs])
    assert 0.005 < passed < 0.016


def train(data: Dataset, config: Config, epochs: int) -> FoldTraining:
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    training = start_fold(task, fold_numbers(data, 5, 0), 0, 0, 0)
    training.advance(epochs)
    return training


def test_a_sound_training_learned(tiny: Dataset) -> None:
    config = Config(network=Network("pitnet", depth=2, width=8), optimiser=Optimiser("adamw", 1e-2, batch_size=16))
    assert train(tiny, config, 12).verdict() is Verdict.LEARNED


def test_images_scaled_twice_collapse_in_the_network_in_use(tmp_path: Path, tiny_folder: Path) -> None:
    # 8-bit values in a 16-bit range: divided by 65535, not 255, as if they were scaled once more.
    folder = write_dataset(tmp_path / "dark", bits=16)
    data = load(folder)
    config = Config(network=Network("minihip"), normalisation="raw", optimiser=Optimiser("adam", 2e-4, schedule="constant"))
    task = make_task(data, config, epochs=8, working_point=0.1)
    deep = (task.inputs.stored.int() & 0xFFFF) // 257
    dark = replace(task, inputs=replace(task.inputs, stored=deep.to(torch.int16)))
    training = start_fold(dark, fold_numbers(data, 5, 0), 0, 0, 0)
    training.advance(8)
    assert training.verdict() is Verdict.COLLAPSED


def test_too_high_a_rate_diverges(tiny: Dataset) -> None:
    config = Config(network=Network("minihip"), optimiser=Optimiser("sgd", 50.0, schedule="constant"))
    assert train(tiny, config, 8).verdict() is Verdict.DIVERGED


def test_too_many_epochs_on_wrong_labels_overtrain(tmp_path: Path) -> None:
    # One label in seven is wrong, and there are far more epochs than it takes to learn every pit by heart.
    folder = write_dataset(tmp_path / "noisy", counts={"candidate": 150, "bottom": 150})
    lines = (folder / "labels.csv").read_text().splitlines()
    flipped = np.random.default_rng(0).random(len(lines)) < 0.15
    swap = {"candidate": "bottom", "bottom": "candidate"}
    for number in np.flatnonzero(flipped[1:]) + 1:
        cells = lines[number].split(",")
        cells[1] = swap[cells[1]]
        lines[number] = ",".join(cells)
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    config = Config(
        network=Network("pitnet", depth=2, width=16),
        optimiser=Optimiser("adam", 1e-3, weight_decay=0.0, batch_size=16, schedule="constant"),
    )
    assert train(load(folder), config, 40).verdict() is Verdict.OVERTRAINED


def test_a_training_cut_short_is_unfinished(tiny: Dataset) -> None:
    training = start_fold(make_task(tiny, Config(), epochs=9, working_point=0.1), fold_numbers(tiny, 5, 0), 0, 0, 0)
    training.advance(2)
    assert training.verdict() is Verdict.UNFINISHED
    assert training.verdict(planned=2) is not Verdict.UNFINISHED
