"""Every record of a study's rows, with a good value of it and what reads it: one table, which fuzz tests go through."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from cmaes import CMA
from optuna.trial import FrozenTrial, create_trial

from search.selection.confirmations import CONFIRMATION, Confirmation
from search.selection.held_out import OPENING, OPENINGS, OpeningRecord, _openings
from search.selection.json_values import from_json, to_json
from search.selection.race_record import CANDIDATES, RACE, RaceEntry, RaceRecord, read_judged, read_race
from search.selection.selection_record import MODEL, SELECTION, ModelKey, ModelRecord, kept_trials, model_record
from search.storage.places import LAUNCH
from search.studies.environment import ENVIRONMENT, read_environment, this_environment
from search.studies.launch_record import LaunchRecord, last_launch
from search.studies.plan import plan_of, store_plan
from search.studies.study import Study
from search.trials.formats import to_plain
from search.trials.progress import TrialProgress
from search.trials.records import CheckpointRecord, FixedParams, Recipe, RungResult, TrialOrigin
from search.trials.reliability import Tally
from search.trials.stored_curves import pack_curves, read_curves
from search.trials.stored_scores import RungScores, pack_scores, read_scores
from search.workers.cmaes_sampler import JsonCmaEsSampler
from tests.support.curves import curve
from tests.support.trials import PLAN, reached, recipe

HASH = "0" * 64
KEY = ModelKey(3, "ensemble", 2, HASH)


@dataclass(frozen=True)
class StoredValue:
    """A record that a study keeps as JSON."""

    module: str
    # What was written.
    good: Any
    # Reads it from plain values.
    read: Callable[[Any], object]


def trial(name: str, value: Any) -> FrozenTrial:
    """Make a trial with a user attribute."""
    return create_trial(value=0.5, user_attrs={name: value})


def study(**attributes: Any) -> Study:
    """Make what stands for a study with user attributes."""
    return cast(Study, SimpleNamespace(name="s", optuna=SimpleNamespace(study_name="s", user_attrs=attributes)))


def of_trial(record: TrialOrigin | FixedParams | Recipe | RungResult | CheckpointRecord) -> StoredValue:
    """Give the entry of a trial's record."""
    return StoredValue(
        "search.trials.records",
        record.attribute()[record.name],
        lambda value: type(record).read(trial(record.name, value)),
    )


def scores() -> dict[str, Any]:
    """Give the scores of a rung as they are kept."""
    chances = np.linspace(0.1, 0.9, 20)
    (packed,) = pack_scores("5x9", RungScores(chances, np.arange(20) % 5, chances > 0.6, chances > 0.2)).values()
    return cast(dict[str, Any], packed)


FOLDS = (0,) * 5
CONFIRMED = Confirmation(np.linspace(0, 1, 4), FOLDS, FOLDS, (0.5,) * 5, ("learned",) * 5, FOLDS, 1, 1.0)
RACED = RaceRecord(2, 0.8, (RaceEntry(1, Tally(5, 0, 5), None), RaceEntry(2, Tally(3, 1, 5), "lost the race")))
CHECKPOINTS = CheckpointRecord({"0": {"name": "a.safetensors", "sha256": HASH, "reseeds": 0, "epoch": 9}}, {"0": 1}, 3, 1.5)
LAUNCHED = {"format": 2, **to_plain(LaunchRecord("mark", 40, 0, 0, 2, "clock", 1.0, None, "/runs"))}
CMAES = JsonCmaEsSampler()
PROGRESS = TrialProgress("5x9", 0, 3, 3, 1.5, (0.7, 0.6))

STORED = {
    "start": of_trial(TrialOrigin("launch", "host:1")),
    "asked": of_trial(FixedParams({"network.depth": 3}, recipe().config)),
    "recipe": of_trial(recipe()),
    "reached": of_trial(reached()),
    "saved": of_trial(CHECKPOINTS),
    "curves": StoredValue(
        "search.trials.stored_curves",
        pack_curves([curve(epochs=6), curve(1, epochs=4)])["curves"],
        lambda value: read_curves(trial("curves", value)),
    ),
    "scores": StoredValue(
        "search.trials.stored_scores", scores(), lambda value: read_scores(trial("scores:5x9", value), "5x9")
    ),
    "progress": StoredValue(
        "search.trials.progress", json.loads(PROGRESS.text()), lambda value: TrialProgress.read(json.dumps(value))
    ),
    "plan": StoredValue("search.studies.plan", store_plan(PLAN), lambda value: plan_of(value, "s")),
    "launch": StoredValue("search.studies.launch_record", LAUNCHED, lambda value: last_launch(study(**{LAUNCH: value}))),
    "environment": StoredValue(
        "search.studies.environment",
        {"format": 1, **to_plain(this_environment())},
        lambda value: read_environment(study(**{ENVIRONMENT: value})),
    ),
    "confirmation": StoredValue(
        "search.selection.confirmations", to_json(CONFIRMED), lambda value: from_json(value, Confirmation, CONFIRMATION)
    ),
    "race": StoredValue("search.selection.race_record", to_json(RACED), lambda value: read_race(study(**{RACE: value}))),
    "candidates": StoredValue(
        "search.selection.race_record",
        {"format": 2, "sha256": HASH, "candidates": [], "by_slides": {"acceptance": None, "folds": 0, "reason": "few"}},
        lambda value: read_judged(study(**{CANDIDATES: value}), HASH),
    ),
    "selection": StoredValue(
        "search.selection.selection_record",
        {"top": 3, "kept": [3, 1], "winner": to_json(KEY)},
        lambda value: kept_trials(study(**{SELECTION: value})),
    ),
    "model": StoredValue(
        "search.selection.selection_record",
        to_json(ModelRecord("/models/1", {"model.json": HASH})),
        lambda value: model_record(study(**{f"{MODEL}:{HASH}": value}), KEY),
    ),
    "state of CMA-ES": StoredValue(
        "search.workers.cmaes_sampler",
        json.loads(CMAES.encode(CMA(np.zeros(2), 1.0, np.array([[-1.0, 1.0]] * 2)))),
        lambda value: CMAES.decode(json.dumps(value)),
    ),
    "opening": StoredValue(
        "search.selection.held_out",
        {OPENINGS: [], f"{OPENING}:1": to_json(OpeningRecord(KEY, None, "token"))},
        _openings,
    ),
}
