"""What the dashboard of a large study takes: seconds until it answers, megabytes that it sends, beside Optuna's own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from wsgiref.types import WSGIApplication

import numpy as np
import optuna_dashboard

from benchmarks.support.filling import fill
from benchmarks.support.idle import begin, plan_of, reached
from benchmarks.support.measure import Table
from benchmarks.support.visits import visit
from models.training.training_curve import TrainingCurve
from search.dashboard.app import make_app
from search.dashboard.guard import Access
from search.dashboard.server import names_of
from search.storage.connect import forget_storages, open_storage
from search.trials.ladder import Ladder
from search.trials.named_attributes import named_attributes
from search.trials.stored_curves import pack_curves
from search.trials.stored_scores import RungScores, pack_scores

# Complete trials, rungs and folds of each, and pits that every rung scores: as many as the foils that we know.
TRIALS, RUNGS, FOLDS, PITS = 1000, 30, 5, 1100
# What a page asks for, in the order in which it does: the list, a study, a look for what is new, and what is drawn when asked.
ASKED = (
    ("list of studies", "/api/studies"),
    ("a study", "/api/studies/1"),
    ("what is new", "/api/studies/1?after={trials}"),
    ("importances", "/api/studies/1/param_importances"),
    ("rank plot", "/api/studies/1/plot/rank"),
    ("rank plot again", "/api/studies/1/plot/rank"),
    ("parallel coordinates", "/api/studies/1/plot/parallel_coordinate"),
    ("learning curves of a trial", "/artifacts/1/1/d0-0-1"),
)


# What is also asked of Optuna's own dashboard, to compare with.
THEIRS = ("list of studies", "a study", "what is new", "rank plot")


def measure(rounds: int = 1, scale: float = 1.0) -> list[Table]:
    """Ask for all that a page asks for. `scale`: of how many trials."""
    count = max(10, round(TRIALS * scale))
    with TemporaryDirectory() as folder:
        address = f"sqlite:///{folder}/studies.db"
        _fill(address, Path(folder), count)
        access = Access(names_of("127.0.0.1"), 8080)
        ours = _ask(partial(make_app, address, access), access, count)
        theirs = _ask(lambda: optuna_dashboard.wsgi(open_storage(address)), access, count, THEIRS)
        size = (Path(folder) / "studies.db").stat().st_size / 1e6
    rows = [[name, *_cells(ours.get(name)), *_cells(theirs.get(name))] for name, _ in ASKED]
    return [
        Table(
            f"The dashboard of {count} complete trials on {RUNGS} rungs each",
            ["asked for", "s", "MB", "MB sent", "Optuna's, s", "MB", "MB sent"],
            rows,
            [f"each asked for once, in this order, by a server that has just started; the database has {size:.0f} MB"],
        )
    ]


def _cells(values: Iterable[float] | None) -> list[str]:
    """Write what a request took; nothing where it was not made, or a study of so few trials was refused."""
    return [""] * 3 if values is None else [f"{value:.2f}" for value in values]


def _fill(address: str, folder: Path, count: int) -> None:
    """Make a study of trials that hold all that trials record."""
    plan = plan_of(folder / "foils")
    ladder = Ladder.parse(",".join(f"{FOLDS}x{epoch + 1}" for epoch in range(RUNGS)))
    plan = replace(plan, options=replace(plan.options, ladder=ladder, pruner="none"))
    study = begin("large", address, plan, count, folder / "runs")
    random = np.random.default_rng(0)
    is_signal = random.random(PITS) < 0.2
    scores = RungScores(random.random(PITS), np.arange(PITS) % FOLDS, is_signal, np.ones(PITS, bool))
    values = [tuple(random.random(RUNGS).tolist()) for _ in range(5)]
    curves = [TrainingCurve(fold, 0, 0.7, 0.7, tuple(range(1, RUNGS + 1)), *values) for fold in range(FOLDS)]
    records: dict[str, Any] = pack_curves(curves)
    for rung in ladder.rungs:
        records |= pack_scores(str(rung), scores)

    records |= named_attributes(reached(ladder.rungs[-1], 0.9))

    def more(number: int) -> Mapping[str, Any]:
        return records

    fill(study, count, seed=0, ends=(*(0.0 for _ in range(RUNGS - 1)), 1.0), more=more)


def _ask(
    make: Any, access: Access, count: int, names: Sequence[str] = tuple(dict(ASKED))
) -> dict[str, tuple[float, float, float]]:
    """Give the seconds, the megabytes of the content, and those that are sent, of each request."""
    forget_storages()
    app: WSGIApplication = make()
    taken = {}
    for name, address in ((name, address) for name, address in ASKED if name in names):
        began = time.perf_counter()
        answer = visit(app, address.format(trials=count), access, HTTP_ACCEPT_ENCODING="gzip")
        seconds = time.perf_counter() - began
        if answer.status == 200:
            content = answer.body if answer.headers["content-type"] == "image/png" else answer.text.encode()
            taken[name] = (seconds, len(content) / 1e6, len(answer.body) / 1e6)
    return taken
