"""The command that the report gives launches a study that was made for the same."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from search.report.contents import PlainText
from search.report.sections.repeat import SPACE_FILE, launch_command, section
from search.report.subject import read_subject
from search.studies.options import Holdout
from search.studies.plan import check_same
from search.studies.study import Study
from tests.support.commands import Runner
from tests.support.subjects import cells_of, selected_subject, subject_of
from tests.support.trials import PLAN


def test_the_command_makes_a_study_of_the_same_plan(
    finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {part.title: part.text for part in section(read_subject(finished)).parts if isinstance(part, PlainText)}
    Path(SPACE_FILE).write_text(texts[f"Space, {SPACE_FILE}"])
    words = shlex.split(texts["Command"].replace(" \\\n", " "))
    ran = Runner(monkeypatch, capsys)(*words[1:], "--storage", "sqlite:///again.db", "--workers", "0")
    assert ran.code == 0, ran.err
    again = Study("tiny", "sqlite:///again.db").plan
    check_same("tiny", finished.plan, again)
    assert (again.folds, again.held_out, again.options) == (finished.plan.folds, finished.plan.held_out, finished.plan.options)


def test_slides_a_share_and_plugins_are_part_of_the_command() -> None:
    slides = replace(PLAN, options=replace(PLAN.options, holdout=Holdout(slides=("24", "a:25"))))
    assert "--holdout-slide 24 \\\n    --holdout-slide a:25" in launch_command(subject_of(plan=slides))
    share = replace(PLAN, options=replace(PLAN.options, holdout=Holdout(0.3)))
    assert "--holdout-share 0.3" in launch_command(subject_of(plan=share))
    assert "--trials 5" in launch_command(subject_of())


def test_what_the_numbers_follow_from_is_listed(finished: Study) -> None:
    subject = read_subject(finished)
    cells = cells_of(section(subject))
    assert cells["fingerprint of the data"] == finished.plan.fingerprint
    assert cells["seed"] == str(finished.plan.options.seed)
    assert subject.environment is not None
    assert f"torch {subject.environment.versions['torch']}" in cells["versions of the last launch"]
    older = cells_of(section(selected_subject()))
    assert older["versions, machine"] == "not recorded by the version that launched"
    assert older["selected model, SHA-256"] == "a" * 64
    assert older["trials ran on"] == "host"
