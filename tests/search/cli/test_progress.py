"""How launch and status show a search on the command line: quietly, as JSON, in a log, and watched from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from search.studies.study import Study
from tests.support.commands import Runner
from tests.support.studies import SHORT, SMALL_SPACE


def test_a_launch_tells_what_happens_as_json_and_in_a_log_whatever_else_is_shown(run: Runner, tiny_folder: Path) -> None:
    Path("space.toml").write_text(SMALL_SPACE.write())
    words = ["--trials", 1, "--workers", 1, "--ladder", SHORT, "--space", "space.toml", "--log-file", "search.log"]
    launched = run("launch", tiny_folder, *words, "--json")
    assert (launched.code, launched.err) == (0, "")
    events = [json.loads(line) for line in launched.out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[0] == "study"
    assert kinds[-1] == "end"
    assert {"status", "trial"} <= set(kinds)
    (trial,) = [event for event in events if event["event"] == "trial"]
    assert (trial["trial"], trial["state"], trial["rung"]) == (0, "complete", "5x6")
    assert events[-1]["next"] == "pitsearch select --study tiny"
    assert not events[-1]["stopped"]
    log = Path("search.log").read_text().splitlines()
    assert " study tiny" in log[0]
    assert any(" trial 0    complete" in line for line in log)
    assert log[-1].endswith(events[-1]["sentence"])


def test_a_quiet_launch_says_how_it_ended_and_nothing_else(run: Runner, finished: Study) -> None:
    quiet = run("launch", "tiny", "--storage", finished.storage, "--workers", 1, "--quiet")
    sentence, following = quiet.out.splitlines()
    assert quiet.code == 0
    assert sentence.startswith(("found: trial ", "nothing has learned: "))
    assert following.startswith(("next: pitsearch select --study tiny --storage ", "next: pitsearch check "))


def test_a_study_is_watched_until_it_is_done(run: Runner, finished: Study) -> None:
    watched = run("status", "--storage", finished.storage, "--watch")
    assert watched.code == 0
    lines = [line.rstrip() for line in watched.out.splitlines()]
    assert lines[:2] == ["study tiny", "study tiny"]  # it is watched, and then its table
    assert lines[-2].startswith("found: trial ")
    assert lines[-1].startswith("next: pitsearch select --study tiny --storage ")
    events = [json.loads(line) for line in run("status", "--storage", finished.storage, "--watch", "--json").out.splitlines()]
    assert [event["event"] for event in events] == ["study", "status", "end"]
    (line,) = run("status", "--storage", finished.storage, "--json").out.splitlines()
    assert {**json.loads(line), "time": ""} == {**events[1], "time": ""}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("launch DATA --quiet --json", "--quiet and --json must not be given together, but both are; remove one"),
        (
            "launch DATA --log-file .",
            "--log-file must be a file, but got the folder .; write a file's name behind it",
        ),
        (
            "status --storage STORAGE --quiet",
            "--quiet and --log-file must be given with --watch, but it is not; add it",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(run: Runner, finished: Study, tiny_folder: Path, words: str, said: str) -> None:
    places = {"DATA": str(tiny_folder), "STORAGE": finished.storage}
    refused = run(*(places.get(word, word) for word in words.split()))
    assert (refused.code, refused.out, refused.err) == (1, "", f"error: {said}.\n")
