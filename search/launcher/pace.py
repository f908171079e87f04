"""Fit the ladder of a new study to the time of its launch, by how long an epoch takes on this machine.

A search is to end with a few whole cross-validations, or nothing can be selected from it. Knows nothing of how trials climb.
"""

from __future__ import annotations

import math
import time

import numpy as np

from foils import Dataset
from models.process import one_thread
from models.training.cross_validation import start_fold
from models.training.task import make_task
from search.studies.plan import Plan
from search.trials.ladder import FEW_EPOCHS, Ladder
from spaces.initial_configs import baseline
from spaces.suggest import configuration

# Whole cross-validations that fit into half of the time.
FEW_TRIALS = 3
# The first rungs, as shares of a whole training; epochs are given in steps of STEP, so that a little more time changes nothing.
LOW, MIDDLE, STEP = 0.1, 0.3, 5


def fit_ladder(data: Dataset, plan: Plan, seconds: float, workers: int) -> tuple[Ladder, str | None]:
    """Give the plan's ladder, or where the time does not carry it one of fewer epochs, with a line that says so.

    `data`: the pits that trials may see; `seconds`: of the launch.
    """
    ladder = plan.ladder
    an_epoch = 2 * FEW_TRIALS * ladder.folds * epoch_seconds(data, plan) / workers  # of all that must fit, in seconds
    affordable = seconds / an_epoch
    epochs = max(int(affordable) // STEP * STEP, FEW_EPOCHS)
    if epochs >= ladder.epochs:
        return ladder, None
    low = max(2, round(LOW * epochs))
    middle = max(low + 1, round(MIDDLE * epochs))
    shorter = Ladder.parse(f"1x{low},1x{middle},{ladder.folds}x{middle},{ladder.folds}x{epochs}")
    note = f"the time carries trainings of {epochs} epochs, not {ladder.epochs}; --ladder and --minutes change that"
    if affordable < epochs:
        enough = math.ceil(10 * epochs * an_epoch / 60) / 10
        note = f"the time may not carry a few trainings of {epochs} epochs, the fewest; --minutes {enough:g} would"
    return shorter, note


def epoch_seconds(data: Dataset, plan: Plan) -> float:
    """Measure an epoch of a fold of the network in use, on one thread."""
    with one_thread():
        choices = baseline(plan.space, data.description.signal, data.description.channels)
        config = configuration(choices, plan.space.schemes)
        task = make_task(data, config, epochs=plan.ladder.epochs, working_point=plan.options.working_point)
        training = start_fold(task, np.array(plan.folds), 0, plan.options.seed, 0)
        training.advance(1)  # the first has its price
        started = time.perf_counter()
        training.advance(2)
        return time.perf_counter() - started
