"""Studies as a report reads them, with known numbers: trials of every fate, a race, a selection, a held-out reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from search.analysis.status import of_trials
from search.report.contents import Listing, Section
from search.report.subject import Subject
from search.selection.held_out import HeldOut, Opening, OperatingPoint
from search.selection.race_record import CandidateRecord, JudgedRecord, RaceEntry, RaceRecord
from search.selection.selection_record import ModelKey
from search.selection.slide_validation import SlideValidation
from search.statistics.intervals import wilson
from search.studies.lock import SeenBefore
from search.studies.study import Study
from search.trials.records import PAUSED, TrialOrigin
from search.trials.reliability import Tally
from spaces import Config
from spaces.choices.networks import Network
from spaces.initial_configs import BASELINE
from tests.support.trials import PLAN, reached, recipe, written

STARTED = datetime(2026, 1, 1, 12)
RUNGS = ((1, 3, "1x3"), (5, 9, "5x9"), (5, 30, "5x30"))


def trial_of(
    number: int,
    accepted: int,
    *,
    state: TrialState = TrialState.COMPLETE,
    rungs: int = 3,
    remarks: Mapping[str, str] | None = None,
) -> FrozenTrial:
    """Make a trial that started after so many hours and took half of one; `accepted`: of 50 signal pits a fold.

    `remarks`: further attributes.
    """
    folds, epochs, rung = RUNGS[max(rungs, 1) - 1]
    result = reached(
        folds,
        rung=rung,
        acceptance=(accepted / 50,) * folds,
        accepted=(accepted,) * folds,
        signals=(50,) * folds,
        epochs_run=folds * epochs,
        seconds=2.0 * folds * epochs,
    )
    start = TrialOrigin("launch", "host:1", None if number else BASELINE)
    config = Config(network=Network("pitnet", depth=4, width=16 + number))
    records = written(start, recipe(config), result) if rungs else written(start)
    finished = state.is_finished()
    trial = create_trial(
        state=state,
        value=accepted / 50 if state == TrialState.COMPLETE else None,
        user_attrs={**records, **(remarks or {})},
        intermediate_values={folds * epochs: accepted / 50 for folds, epochs, _ in RUNGS[:rungs]},
    )
    trial.number = number
    trial.datetime_start = STARTED + timedelta(hours=number)
    trial.datetime_complete = trial.datetime_start + timedelta(minutes=30) if finished else None
    return trial


# The network in use, a better one that was paused before, one of each other fate, and one that is complete but worse.
FATES = (
    trial_of(0, 40),
    trial_of(1, 30, state=TrialState.WAITING, rungs=1, remarks={PAUSED.name: "1x3"}),
    trial_of(2, 25, state=TrialState.PRUNED, rungs=2),
    trial_of(3, 46, remarks={PAUSED.name: ""}),
    trial_of(4, 0, state=TrialState.FAIL, rungs=0, remarks={"error": "RuntimeError: no such kernel"}),
    trial_of(5, 44),
    trial_of(6, 20, state=TrialState.RUNNING, rungs=1),
)
LOOK = HeldOut(52, 222, 0.9765, (OperatingPoint(0.05, 0.4, wilson(46, 52), wilson(210, 222)),))
KEY = ModelKey(3, "ensemble", 2, "a" * 64)
RACE = RaceRecord(
    2,
    0.8,
    (
        RaceEntry(3, Tally(15, 0, 15), None),
        RaceEntry(5, Tally(14, 0, 15), None),
        RaceEntry(0, Tally(10, 0, 10), "lost the race after 1 of 2: -0.087 to trial 3"),
    ),
)
JUDGED = JudgedRecord(
    KEY.sha256,
    (
        CandidateRecord(3, wilson(195, 210), Tally(15, 0, 15), 3_400_000, True, "winner", True, wilson(193, 210), 0.914),
        CandidateRecord(5, wilson(190, 210), Tally(14, 0, 15), 6_800_000, True, "kept, beaten by trial 3", False, None, 0.893),
        CandidateRecord(
            0, wilson(170, 210), Tally(10, 0, 10), 3_400_000, False, f"dropped: {RACE.entries[2].dropped}", False, None
        ),
    ),
    SlideValidation(wilson(160, 207), 4),
)


class Planned(Study):
    """A study that is in no storage."""

    plan = PLAN


def subject_of(trials: tuple[FrozenTrial, ...] = FATES, **changes: Any) -> Subject:
    """Give a study of these trials as its report reads it, of which nothing was selected and whose data is gone."""
    plan = changes.pop("plan", PLAN)
    subject = Subject(
        study=Planned("craters"),
        plan=plan,
        trials=trials,
        status=of_trials("craters", plan, trials),
        confirmations={},
        environment=None,
        race=None,
        selection=None,
        judged=None,
        opening=None,
        data=None,
        data_fault="study 'craters' needs its data, but data is gone; give its folder with --data.",
    )
    return replace(subject, **changes)


def selected_subject(number: int = 1, seen: SeenBefore | None = None, **changes: Any) -> Subject:
    """Give it after a selection, whose reading of the held-out set is of this number."""
    before = SeenBefore(0, 0.0) if seen is None else seen
    opening = Opening(number, number, KEY, LOOK, before=before)
    return subject_of(**{"race": RACE, "selection": KEY, "judged": JUDGED, "opening": opening, **changes})


def cells_of(section: Section) -> dict[str, str]:
    """Give the first table of a section whose rows are of two cells, as names and values."""
    tables = [part for part in section.parts if isinstance(part, Listing)]
    return {row[0]: row[1] for row in tables[0].rows}
