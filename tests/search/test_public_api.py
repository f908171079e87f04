"""What a study is asked from Python; and the README's lines of Python, as a plain script with worker processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pitsearch as ps
from foils import Dataset
from tests.support.pages import read_page
from tests.support.studies import start
from tests.support.tiny import write_dataset

SHORT = """\
ps.SearchOptions(ladder=ps.Ladder.parse("5x8"), working_point=0.2), budget=ps.Budget(2), executor=ps.Processes(workers=2)"""


@pytest.mark.slow
def test_the_lines_of_python_in_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    script = read_page("README.md").block("import pitsearch as ps").text
    assert len([line for line in script.splitlines() if line and "import" not in line]) <= 5
    # The tiny pits need no long search, and learn too little in it for the usual bar; nothing else is changed.
    script = script.replace("ConfirmOptions(top=5, repeats=5)", "ConfirmOptions(top=2, repeats=1, reliability=0.0)")
    script = script.replace("budget=ps.Budget(trials=40)", SHORT)
    assert "workers=2" in script
    assert "reliability=0.0" in script
    (tmp_path / "script.py").write_text(script)
    write_dataset(tmp_path / "mydata")
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=True, timeout=240)
    assert (tmp_path / "best" / "model.safetensors").is_file()
    assert (tmp_path / "studies.db").is_file()


@pytest.mark.slow
def test_a_study_is_asked_everything_from_python(finished: ps.Study, tiny: Dataset, tmp_path: Path) -> None:
    status = ps.summarise(finished)
    assert (status.name, status.complete) == ("tiny", 3)
    with pytest.raises(ps.StudyError, match="importance needs at least 20 finished trials"):
        ps.importance(finished)
    with pytest.raises(ps.PitsearchError, match="a front needs two objectives"):
        ps.pareto_front(finished)
    curve = ps.learning_curve(finished, shares=[0.5, 1], repeats=1, epochs=2, workers=1)
    assert [point.share for point in curve.points] == [0.5, 1]
    assert curve.plot.working_point == finished.plan.options.working_point
    diagnosis = ps.diagnose(finished, trial=1, seeds=2, repeats=1, workers=1)
    assert diagnosis.subject.what == "study tiny, trial 1"
    terms = ps.ConfirmOptions(top=2, repeats=1, reliability=0.0)
    assert len(ps.confirm(finished, terms, workers=1)) == 2
    selection = ps.select(finished, terms, workers=1)
    ps.export(selection, tmp_path / "best")
    prediction = ps.predict(ps.read_bundle(str(tmp_path / "best")), tiny)
    assert prediction.p_signal.shape == (len(tiny),)


def test_a_learning_curve_needs_no_study(tiny: Dataset) -> None:
    curve = ps.learning_curve(tiny, shares=[1], repeats=1, epochs=1, workers=1)
    assert curve.config.network.name == "pitnet"


def test_a_front_is_read_from_python(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, study="two", trials=2, ladder="1x1,5x16", objectives=("acceptance", "cost"))
    assert all(trial.on_front for trial in ps.pareto_front(study))
