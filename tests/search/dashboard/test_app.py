"""The dashboard as its page asks for it: notes, pictures, plots, the report, and what may be written."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna_dashboard import get_note, save_note

from benchmarks.support.visits import Answer, visit
from search.dashboard.app import POLICY, make_app, shown_host
from search.dashboard.guard import Access
from search.dashboard.notes import trial_note
from search.dashboard.presenting import MOST
from search.dashboard.server import names_of
from search.dashboard.study_page import LATER
from search.studies.study import Study
from search.text import as_markdown
from search.trials.records import Recipe, RungResult
from search.trials.reliability import tally
from spaces import Config

HERE = Access(names_of("127.0.0.1"), 8080)
WRITER = Access(names_of("127.0.0.1"), 8080, write=True, files=True)
ORIGIN = {"HTTP_ORIGIN": "http://127.0.0.1:8080"}


def ask(study: Study, address: str, access: Access = HERE, method: str = "GET", **parts: Any) -> Answer:
    return visit(make_app(study.storage, access), address, access, method, **parts)


def send(app: Any, method: str, address: str, content: object) -> Answer:
    body = json.dumps(content).encode()
    sent = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "application/json"}
    return visit(app, address, WRITER, method, **ORIGIN, **sent)


def test_a_complete_trial_has_a_note_of_its_configuration_its_verdicts_and_its_intervals(finished: Study) -> None:
    detail = ask(finished, "/api/studies/1").json
    for trial, shown in zip(finished.optuna.trials, detail["trials"], strict=True):
        reached, note = RungResult.demand(trial), shown["note"]["body"]
        assert shown["note"]["version"] == 0  # the first that somebody writes takes its place
        assert f"signal acceptance **{reached.quoted.share}**" in note
        assert f"reliability {tally([reached])} trainings learned" in note
        assert Config.from_dict(Recipe.demand(trial).config).describe() in note
        for fold, verdict in enumerate(reached.verdicts):
            assert f"| {fold} | {verdict} | {reached.acceptance[fold]:.3f} | {reached.auc[fold]:.3f} |" in note
        assert len(note) < 2500


def test_a_note_that_somebody_wrote_stays(finished: Study) -> None:
    opened = finished.optuna
    save_note(opened, "of the study")
    save_note(optuna.Trial(opened, opened.trials[1]._trial_id), "of the trial")
    detail = ask(finished, "/api/studies/1").json
    assert detail["note"]["body"] == "of the study"
    assert detail["trials"][1]["note"]["body"] == "of the trial"
    assert detail["trials"][0]["note"]["body"].startswith("**")


def test_notes_of_ours_are_nowhere_stored(finished: Study) -> None:
    ask(finished, "/api/studies/1")
    assert get_note(finished.optuna) == ""


def test_words_of_a_user_are_no_markdown() -> None:
    assert as_markdown("a_b *c* [d](e) <f> | g\nh") == "a\\_b \\*c\\* \\[d\\](e) \\<f\\> \\| g h"
    assert trial_note(optuna.trial.create_trial(value=1.0)) == ""


def test_the_study_says_its_answer_as_the_report_does_and_leads_to_it(finished: Study) -> None:
    app = make_app(finished.storage, HERE)
    assert visit(app, "/api/studies/1", HERE).json["note"]["body"] == LATER
    note = LATER
    end = time.monotonic() + 60
    while note == LATER and time.monotonic() < end:
        time.sleep(0.1)
        note = visit(app, "/api/studies/1", HERE).json["note"]["body"]
    report = visit(app, "/report/1", HERE)
    assert note.startswith("No model is selected yet; the best so far is trial ")
    assert note.split("\n")[0].replace("\\", "") in report.text.replace("&#39;", "'")
    assert "[The report of this study](/report/1)" in note
    assert "- trials: 3 complete" in note


def test_the_report_is_a_page_that_can_reach_nothing(finished: Study) -> None:
    report = ask(finished, "/report/1")
    assert (report.status, report.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = report.headers["content-security-policy"]
    assert policy.startswith(POLICY)
    assert "default-src 'none'" in policy
    assert "allow-same-origin" not in policy


def test_a_report_of_nothing_is_a_line(finished: Study) -> None:
    missing = ask(finished, "/report/9")
    assert (missing.status, missing.text) == (404, "there is no such study\n")
    optuna.create_study(study_name="theirs", storage=finished.storage)
    theirs = ask(finished, "/report/2")
    assert theirs.status == 409
    assert "must be one that pitsearch made" in theirs.text
    assert ask(finished, "/api/studies/2").json["note"] == {"version": 0, "body": ""}


def test_a_picture_is_sent_as_a_file(finished: Study) -> None:
    detail = ask(finished, "/api/studies/1").json
    for trial in detail["trials"]:
        assert [file["filename"] for file in trial["artifacts"]] == ["learning-curves.png", "roc.png"]
    picture = ask(finished, f"/artifacts/1/{trial['trial_id']}/{trial['artifacts'][0]['artifact_id']}")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    assert picture.headers["content-disposition"] == "attachment"
    assert picture.body.startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["rank", "contour"])
def test_square_plots_are_of_what_matters_most_and_drawn_once(
    kind: str, finished: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(finished.storage, HERE)
    monkeypatch.setattr("search.dashboard.presenting.most_important", lambda study: ["network.width", "optimiser.name"])
    monkeypatch.setattr("search.dashboard.presenting.MOST", 1)
    plot = visit(app, f"/api/studies/1/plot/{kind}", HERE)
    figure = plot.json
    assert figure["layout"]["title"]["text"].endswith(": the 2 parameters that matter most")
    axes = {axis["title"]["text"] for name, axis in figure["layout"].items() if "axis" in name and "title" in axis}
    assert {"network.width", "optimiser.name"} >= axes
    monkeypatch.setattr("search.dashboard.presenting._square", lambda *given: pytest.fail("drawn again"))
    assert visit(app, f"/api/studies/1/plot/{kind}", HERE).body == plot.body


@pytest.mark.parametrize("kind", ["edf", "timeline", "slice", "parallel_coordinate"])
def test_other_plots_are_optunas_own(kind: str, finished: Study) -> None:
    assert ask(finished, f"/api/studies/1/plot/{kind}").json["data"]


def test_what_matters_most_is_named_and_no_more_than_fits(finished: Study) -> None:
    from search.dashboard.presenting import most_important

    study = optuna.create_study(direction="maximize")
    study.add_trials(
        optuna.trial.create_trial(
            params={f"x{axis}": (number * (axis + 3)) % 7 / 7 for axis in range(6)},
            distributions={f"x{axis}": optuna.distributions.FloatDistribution(0, 1) for axis in range(6)},
            value=(number * 5) % 7 / 7,
        )
        for number in range(40)
    )
    assert most_important(study)[0] == "x2"  # the value is x2 itself
    assert len(most_important(study)) == MOST


def test_the_front_says_which_trials_break_its_constraint(two: Study) -> None:
    detail = ask(two, "/api/studies/1").json
    recorded = {trial.number: list(trial.constraints.values()) for trial in two.optuna.trials}
    assert {trial["number"]: trial["constraints"] for trial in detail["trials"]} == recorded
    assert any(value > 0 for values in recorded.values() for value in values)


def test_who_may_write_writes_notes_files_and_ends(finished: Study, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    app = make_app(finished.storage, WRITER, tmp_path / "files")
    assert send(app, "PUT", "/api/studies/1/note", {"version": 1, "body": "mine"}).status == 204
    assert visit(app, "/api/studies/1", WRITER).json["note"] == {"version": 1, "body": "mine"}
    page = "data:text/html;base64,PHNjcmlwdD4="
    sent = send(app, "POST", "/api/artifacts/1", {"file": page, "filename": "page.html"}).json
    file = visit(app, f"/artifacts/1/{sent['artifact_id']}", WRITER)
    assert (file.body, file.headers["content-disposition"]) == (b"<script>", "attachment")
    assert "sandbox" in file.headers["content-security-policy"]
    assert send(app, "DELETE", "/api/artifacts/1/1/d0-0-1", {}).status == 403  # a picture
    assert send(app, "DELETE", "/api/studies/1", {"remove_associated_artifacts": True}).status == 204
    assert visit(app, "/api/studies", WRITER).json == {"study_summaries": []}
    assert not list((tmp_path / "files").iterdir())


def test_the_dashboard_starts_without_torch() -> None:
    import subprocess

    code = "import sys; import search.dashboard.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=100).returncode == 0


def test_the_address_to_open_names_a_machine() -> None:
    assert shown_host("127.0.0.1") == "127.0.0.1"
    assert shown_host("::1") == "[::1]"
    assert shown_host("0.0.0.0") not in ("0.0.0.0", "")
