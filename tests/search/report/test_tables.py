"""What people see, against golden files."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from optuna.trial import TrialState

from foils import Dataset
from search.analysis.status import of_trials
from search.pruning.audit import Audit
from search.report.data_table import data_table
from search.report.tables import status_table, trial_line
from search.studies.launch_record import LaunchRecord
from search.text import duration
from tests.support.golden import assert_golden, render
from tests.support.status import TRIALS, trial_of
from tests.support.studies import with_options
from tests.support.trials import PLAN


def test_a_note_on_a_trial_is_shown_with_it() -> None:
    noted = trial_of(0, TrialState.COMPLETE, 3, note="folds trained apart: fused takes 2.0 times as long here")
    assert "  folds trained apart: fused takes 2.0 times as long here  " in trial_line(noted)


def test_the_table_of_a_data_set(tiny: Dataset) -> None:
    shown = replace(tiny, fingerprint="0123456789abcdef", notes=("3 pits left out: nearer to the border than half a crop",))
    vars(shown)["pixels"] = tiny.pixels  # those of this content are in no cache
    assert_golden("check", render(data_table(shown)))


def test_crops_of_another_size_are_shown_with_it(tiny: Dataset) -> None:
    resized, cut = replace(tiny.description, resize_from=24), replace(tiny.description, cut_from=20)
    for description, text in ((resized, "resized from 24 x 24"), (cut, "the middle of 20 x 20")):
        shown = replace(tiny, description=description)
        vars(shown)["pixels"] = tiny.pixels
        assert f"crops        12 x 12 pixels ({text}), 8 bit" in render(data_table(shown))


def test_a_line_for_every_kind_of_trial() -> None:
    assert_golden("trials", "\n".join(trial_line(trial) for trial in TRIALS) + "\n")


def test_the_table_of_a_study() -> None:
    launched = LaunchRecord("mark", 3, 0, 0, 2, "server", 0.0, None, "runs")
    assert_golden("status", render(status_table(of_trials("craters", PLAN, TRIALS, launched, ("server", 5.0)))))


def test_the_audit_in_the_table_of_a_study() -> None:
    def row(audit: Audit | None) -> str | None:
        shown = render(status_table(replace(of_trials("craters", PLAN, []), audit=audit)))
        found = re.search(r"^│ audit +│ (.*?) +│$", shown, re.MULTILINE)
        return found[1] if found else None

    assert row(Audit(7, 3, {"5x9": 1, "1x3": 1})) == (
        "7 trials never pruned, 3 of them good; pruning would have ended 2 (1x3: 1, 5x9: 1): "
        "wrong-kill rate 0.667 [0.254, 0.922]"
    )
    assert row(Audit(1, 1, {})) == (
        "1 trial never pruned, 1 of them good; pruning would have ended none: wrong-kill rate 0.000 [0.000, 0.730]"
    )
    assert row(Audit(2, 0, {})) == "2 trials never pruned, none of them good"
    assert row(None) is None


@pytest.mark.parametrize("change", [{"audit": 0.0}, {"pruner": "none"}])
def test_a_study_that_audits_nothing_shows_no_audit(change: dict[str, Any]) -> None:
    assert of_trials("craters", with_options(PLAN, **change), TRIALS).audit is None


def test_the_table_of_a_study_that_has_nothing_yet() -> None:
    assert_golden("status_empty", render(status_table(of_trials("craters", PLAN, []))))


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "unknown"), (0, "0 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (7260, "2 h 01 min")]
)
def test_durations_are_as_coarse_as_they_are_long(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text
