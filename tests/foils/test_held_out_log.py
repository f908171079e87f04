"""The log beside the data: what it records comes back, changes are noticed, and processes that write at once lose nothing."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from foils.held_out_log import LOG, Event, HeldOutLog, Opened, Rule, Searched, Sides, append_to_log, read_log

SIDES = Sides(Rule(0.2), {"p1": "aa"}, {"p2": "bb", "p3": "cc"})
SEARCHED = Searched("study", ("bb", "cc"))
OPENED = Opened("study", "t1", "model", ("aa",))


def write(folder: Path, *events: Event) -> HeldOutLog:
    return append_to_log(folder, lambda _: events)


def test_what_is_recorded_comes_back(tmp_path: Path) -> None:
    assert read_log(tmp_path) == HeldOutLog()
    write(tmp_path, SIDES)
    log = write(tmp_path, SEARCHED, OPENED)
    assert log == read_log(tmp_path)
    assert (log.rule, log.searched, log.openings, log.changed) == (Rule(0.2), frozenset({"bb", "cc"}), (OPENED,), None)
    assert [log.side(*pit) for pit in (("p1", "x"), ("x", "aa"), ("x", "bb"), ("p3", "x"), ("x", "x"))] == [
        True,
        True,
        False,
        False,
        None,
    ]
    assert [path.name for path in tmp_path.iterdir()] == [LOG]


def test_the_first_side_of_a_pit_counts(tmp_path: Path) -> None:
    log = write(tmp_path, SIDES, Sides(Rule(None, ("7",)), {"p2": "bb"}, {"p1": "aa"}))
    assert (log.rule, log.side("p1", "aa"), log.side("p2", "bb")) == (Rule(0.2), True, False)


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [lines[0], lines[1].replace(b"bb", b"dd"), lines[2]],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0], b"no JSON", *lines[1:]],
        lambda lines: [lines[0], b"[" * 5000, *lines[1:]],
        lambda lines: [lines[0], b'{"previous": 1, "kind": "sides"}', *lines[1:]],
        lambda lines: lines[1:],
    ],
    ids=["changed", "removed", "exchanged", "no JSON", "nested", "inserted", "the first removed"],
)
def test_a_change_by_hand_is_noticed(tmp_path: Path, change: object) -> None:
    write(tmp_path, SIDES, SEARCHED, OPENED)
    lines = (tmp_path / LOG).read_bytes().splitlines()
    (tmp_path / LOG).write_bytes(b"\n".join(change(lines)) + b"\n")  # type: ignore[operator]  # a table of functions
    changed = read_log(tmp_path).changed
    assert changed is not None
    assert changed.startswith(f"{LOG}:")


def test_a_line_that_was_cut_short_is_written_over(tmp_path: Path) -> None:
    write(tmp_path, SIDES)
    with (tmp_path / LOG).open("ab") as stream:
        stream.write(b'{"kind": "opened", "tok')
    assert read_log(tmp_path) == write(tmp_path)
    log = write(tmp_path, OPENED)
    assert (log.openings, log.changed) == ((OPENED,), None)


def test_logs_of_data_sets_that_were_merged_count_together(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    write(tmp_path / "other", Sides(Rule(0.3), {"q1": "dd", "q2": "bb"}, {}), Opened("other", "t2", "", ("dd",)))
    write(tmp_path, SIDES, OPENED)
    (tmp_path / "other" / LOG).rename(tmp_path / "held_out.other.jsonl")
    log = write(tmp_path, Opened("study", "t3", "", ("aa",)))
    assert (log.rule, log.side("q1", "dd"), log.side("q2", "bb"), log.changed) == (Rule(0.2), True, False, None)
    assert [event.token for event in log.openings] == ["t1", "t3", "t2"]


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        logs = [*pool.map(lambda number: write(tmp_path, Opened("study", f"t{number}", "", ("aa",))), range(40))]
    log = read_log(tmp_path)
    assert {event.token for event in log.openings} == {f"t{number}" for number in range(40)}
    assert log.changed is None
    assert max(len(one.openings) for one in logs) == 40


def test_a_folder_that_cannot_be_written_to_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write(tmp_path / "nowhere", SIDES)
    assert read_log(tmp_path / "nowhere") == HeldOutLog()


def test_a_log_is_text_that_people_can_read(tmp_path: Path) -> None:
    write(tmp_path, SIDES, OPENED)
    kinds = [json.loads(line)["kind"] for line in (tmp_path / LOG).read_text().splitlines()]
    assert kinds == ["sides", "opened"]
    assert not os.access(tmp_path / LOG, os.X_OK)


def test_no_link_and_no_pipe_is_written_through(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.write_bytes(b"a file of the user's, without an end of its line")
    (folder / LOG).symlink_to(elsewhere)
    with pytest.raises(OSError):
        write(folder, SIDES)
    assert elsewhere.read_bytes() == b"a file of the user's, without an end of its line"
    assert read_log(folder) == HeldOutLog()
    (folder / LOG).unlink()
    os.mkfifo(folder / LOG)
    with pytest.raises(OSError, match="a regular file is needed"):
        write(folder, SIDES)
