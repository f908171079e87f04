"""What the report of a study takes: seconds and megabytes, by the trials that the study holds."""

from __future__ import annotations

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from benchmarks.support.filling import fill
from benchmarks.support.idle import begin
from benchmarks.support.measure import Spread, Table
from foils import Dataset, load
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.training.training_curve import VALUES, TrainingCurve
from search import defaults
from search.report.study_report import write_report
from search.report.subject import read_subject
from search.storage.optuna_internals import models, trial_id_of
from search.studies.options import SearchOptions
from search.studies.plan import make_plan
from search.studies.study import Study
from search.trials.ladder import Ladder, Rung
from search.trials.records import on_rungs
from search.trials.stored_curves import pack_curves
from search.trials.stored_scores import RungScores, pack_scores
from spaces import Space

# Finished trials of a study, pits of its data, a budget that has room for all, and how many sets of scores and curves differ.
TRIALS, PITS, ROOM, KINDS = (100, 1000), 1393, 10**9, 20


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Write the report of studies that hold ever more trials. `scale`: of how many, and of pits."""
    rows = []
    with TemporaryDirectory() as folder:
        synthesise(Path(folder) / "foils", SyntheticFoils(seed=0, counts=scaled_counts(max(100, round(PITS * scale)))))
        data, page = load(Path(folder) / "foils"), Path(folder) / "report.html"
        plan, _ = make_plan(data, Space(), SearchOptions(ladder=Ladder.parse(defaults.LADDER)))
        study, count = begin("report", f"sqlite:///{folder}/studies.db", plan, ROOM, Path(folder) / "runs"), 0
        for more in (max(10, round(trials * scale)) for trials in TRIALS):
            fill(study, more - count, seed=count)
            record(study, data, count)
            count = more
            reading, writing = zip(*(_write(study, page) for _ in range(rounds)), strict=True)
            size = f"{page.stat().st_size / 1e6:.2f}"
            rows.append([str(count), str(Spread.of(reading)), str(Spread.of(writing)), size])
    return [
        Table(
            "The report of a study",
            ["trials", "read, s", "lay out and write, s", "MB"],
            rows,
            [
                "of random trials that keep scores and curves as real ones do; without the imports, some seconds more; 4.8 MB "
                "of a page are plotly's own"
            ],
        )
    ]


def record(study: Study, data: Dataset, first: int) -> None:
    """Add scores and curves to the trials of a study from this number on, as random as the trials."""
    plan, random = study.plan, np.random.default_rng(first)
    searched = plan.search_set(data)
    scores = {rung: [_scores(searched, plan.folds, rung, random) for _ in range(KINDS)] for rung in plan.ladder.rungs}
    curves = {rung: [_curves(rung, random) for _ in range(KINDS)] for rung in plan.ladder.rungs}

    def add(session: Session) -> None:
        for trial in study.optuna.get_trials(deepcopy=False)[first:]:
            reached = [rung for rung in plan.ladder.rungs if rung.cost in on_rungs(trial)]
            kind, attributes = trial.number % KINDS, dict[str, Any]()
            for rung in reached:
                attributes |= {**scores[rung][kind], **curves[rung][kind]}
            session.add_all(
                models.TrialUserAttributeModel(trial_id=trial_id_of(trial), key=key, value_json=json.dumps(value))
                for key, value in attributes.items()
            )

    study.backend.transact(add)


def _scores(searched: Dataset, folds: tuple[int, ...], rung: Rung, random: np.random.Generator) -> dict[str, Any]:
    """Make the scores of the pits that the folds of a rung validate."""
    numbers = np.array(folds)
    pits = numbers < rung.folds
    is_signal = searched.is_signal[pits]
    scores = 1 / (1 + np.exp(-random.normal(3.0 * is_signal - 1.5, 1.5)))
    return pack_scores(str(rung), RungScores(scores, numbers[pits], is_signal, searched.is_scored[pits]))


def _curves(rung: Rung, random: np.random.Generator) -> dict[str, Any]:
    """Make the curves of the folds of a rung."""
    epochs = tuple(range(1, rung.epochs + 1))
    rows = random.random((rung.folds, len(VALUES), rung.epochs)).tolist()
    return pack_curves([TrainingCurve(fold, 0, 0.69, 0.69, epochs, *map(tuple, row)) for fold, row in enumerate(rows)])


def _write(study: Study, page: Path) -> tuple[float, float]:
    """Give the seconds that reading a study took, and those of laying it out."""
    started = time.perf_counter()
    subject = read_subject(study)
    middle = time.perf_counter()
    write_report(subject, page)
    return middle - started, time.perf_counter() - middle
