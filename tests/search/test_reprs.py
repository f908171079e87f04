"""What a notebook shows of our objects: one line or a small table; a study as a frame; a launch as a bar that moves."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

import pitsearch as ps
from foils import Dataset
from search.analysis.status import acceptance
from tests.support.notebooks import notebook
from tests.support.status import TRIALS
from tests.support.trials import PLAN


def rows_of(html: str) -> list[list[str]]:
    """Give the rows of the tables in HTML whose every element is closed."""
    return [[cell.text or "" for cell in row] for row in ElementTree.fromstring(f"<div>{html}</div>").iter("tr")]


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
    shown, winner, point = rows_of(selection._repr_html_()), selection.winner, selection.opening.held_out.points[0]
    assert shown[0] == ["winner", f"trial {winner.number}, as ensemble: {winner.config.describe()}"]
    assert ["held out, at 10%", f"acceptance {point.acceptance}, rejection {point.rejection}"] in shown
    assert selection.opening.honest == ("no honest number" not in dict(row for row in shown if len(row) == 2))
    assert [row[0] for row in shown[-len(selection.candidates) :]] == [str(one.number) for one in selection.candidates]
    bundle = ps.read_bundle(str(selection.bundle_folder))
    assert short(bundle).startswith("Bundle(threshold ")
    assert short(ps.predict(bundle, tiny)).startswith("Prediction(tiny: 75 pits, ")


def test_a_notebook_shows_a_study_as_html(finished: ps.Study) -> None:
    shown, best = rows_of(finished._repr_html_()), ps.summarise(finished).best
    assert ["trials", "3 complete"] in shown
    assert best is not None
    assert shown[-3][:2] == [str(best.number), str(acceptance(best))]


@pytest.mark.parametrize(
    ("name", "storage", "why"),
    [
        ("<i>gone", None, "there is no study of this name"),
        ("tiny", "postgresql+psycopg://me:secret@db/studies", "a storage&#x27;s address must hold no password"),
    ],
)
def test_a_notebook_says_why_a_study_cannot_be_read(finished: ps.Study, name: str, storage: str | None, why: str) -> None:
    shown = ps.Study(name, storage or finished.storage)._repr_html_()
    assert rows_of(shown)[-1][0] == "cannot be read"
    assert why in shown
    assert "secret" not in shown
    assert "<i>" not in shown


def test_a_launch_in_a_notebook_shows_a_bar_under_its_cell(
    tiny: Dataset, finished: ps.Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = notebook(monkeypatch)
    ps.launch(tiny, storage=finished.storage, budget=ps.Budget(3), executor=ps.Processes(workers=1))
    [cell] = cells
    assert cell.text[0] == "starting"
    assert cell.text[-1].startswith("3 of 3 trials done")
    assert '<progress value="3" max="3"' in cell.html[-1]
    assert dict(rows_of(cell.html[-1]))["best so far"].startswith("acceptance ")
    assert "nothing is trained: the study has 3 finished trials" in cell.html[-1]
    assert capsys.readouterr() == ("", "")


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
