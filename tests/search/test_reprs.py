"""What a notebook shows of our objects is short: one line, whatever they hold; and a study is a table."""

from __future__ import annotations

import pytest

import pitsearch as ps
from foils import Dataset
from tests.support.status import TRIALS
from tests.support.trials import PLAN


def short(thing: object) -> str:
    text = repr(thing)
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_data_spaces_plans_and_studies_are_short(tiny: Dataset, finished: ps.Study) -> None:
    assert short(tiny) == ("Dataset(tiny: 75 pits: 20 candidate, 20 bottom, 20 top, 10 misc, 5 maybe; 6 channels of 12 x 12)")
    assert short(ps.Space()) == "Space(0 axes chosen: )"
    assert short(finished.plan).startswith("Plan(")
    assert short(finished).startswith("Study(name='tiny', storage='sqlite:///")
    assert short(ps.summarise(finished)).startswith("Status(tiny: 3 complete, 0 pruned, 0 paused of 3 trials; best trial ")


def test_results_are_short(tiny: Dataset, finished: ps.Study) -> None:
    selection = ps.select(finished, ps.ConfirmOptions(top=1, repeats=1, reliability=0.0), workers=1, progress=False)
    assert short(selection).startswith("Selection(tiny: trial ")
    bundle = ps.read_bundle(str(selection.bundle_folder))
    assert short(bundle).startswith("Bundle(threshold ")
    assert short(ps.predict(bundle, tiny)).startswith("Prediction(tiny: 75 pits, ")


def test_a_study_is_a_table(finished: ps.Study) -> None:
    frame = finished.to_frame()
    assert frame.index.name == "trial"
    assert list(frame["state"]) == ["complete"] * 3
    assert {"acceptance", "acceptance_low", "trainings", "seconds", "network.name", "optimiser.learning_rate"} <= {*frame}
    assert ((frame["acceptance_low"] <= frame["acceptance"]) & (frame["acceptance"] <= frame["acceptance_high"])).all()


def test_trials_of_every_state_have_a_row() -> None:
    from search.studies.trial_rows import trial_rows

    rows = trial_rows(TRIALS)
    assert [row["state"] for row in rows] == ["complete", "complete", "pruned", "fail", "waiting", "running"]
    assert [row.get("error") for row in rows] == [None, None, None, "RuntimeError: no such kernel", None, None]
    assert PLAN.ladder is not None


def test_python_shows_progress_unless_told_not_to(
    tiny: Dataset, finished: ps.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    options, budget, workers = finished.plan.options, ps.Budget(3), ps.Processes(workers=1)
    ps.launch(tiny, finished.plan.space, options, storage=finished.storage, budget=budget, executor=workers)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("study tiny\nnote: ")
    assert "note: nothing is trained: the study has 3 finished trials" in told.err
    ps.launch(tiny, storage=finished.storage, budget=budget, executor=workers, progress=False)
    terms = ps.ConfirmOptions(top=1, repeats=1, reliability=0.0)
    ps.confirm(finished, terms, workers=1, progress=False)
    assert capsys.readouterr() == ("", "")
    ps.confirm(finished, terms, workers=1)
    assert capsys.readouterr().err == "repeats: 1 of 1\n"
