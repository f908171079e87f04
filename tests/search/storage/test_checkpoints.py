"""Checkpoints on disk: whole and hashed, one study's and one worker's own, and nothing left over."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from search.errors import StudyError
from search.storage.checkpoints import SETTLED_S, CheckpointStore, open_runs, reconcile
from search.trials.records import CheckpointRecord


def saved(*kept: object) -> CheckpointRecord:
    return CheckpointRecord({str(fold): asdict(one) for fold, one in enumerate(kept)}, {}, 0, 1.0)  # type: ignore[call-overload]


def test_what_is_kept_is_read_as_it_was(tmp_path: Path) -> None:
    shelf = CheckpointStore(tmp_path / "7", "abcdefghij")
    kept = shelf.keep(0, 1, 9, b"content")
    assert (kept.name, kept.reseeds, kept.epoch) == ("fold0-1-9-abcdefgh.safetensors", 1, 9)
    assert shelf.read(saved(kept)) == ({0: b"content"}, ())
    assert [file.name for file in shelf.folder.iterdir()] == [kept.name]


def test_each_fault_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    shelf = CheckpointStore(tmp_path / "7", "mark")
    kept = [shelf.keep(fold, 0, 3, bytes([fold]) * 100) for fold in range(3)]
    (shelf.folder / kept[0].name).unlink()
    (shelf.folder / kept[1].name).write_bytes(b"\x01" * 99)
    found, faults = shelf.read(saved(*kept))
    assert found == {2: b"\x02" * 100}
    assert faults == (
        "fold 0: fold0-0-3-mark.safetensors: No such file or directory",
        "fold 1: fold1-0-3-mark.safetensors has been changed or cut short",
    )


def test_a_worker_never_writes_over_another_ones_files(tmp_path: Path) -> None:
    first, second = CheckpointStore(tmp_path / "7", "first"), CheckpointStore(tmp_path / "7", "second")
    early, late = first.keep(0, 0, 3, b"one"), second.keep(0, 0, 3, b"two")
    assert first.read(saved(early))[0] == {0: b"one"}
    second.tidy(saved(late))
    assert [file.name for file in first.folder.iterdir()] == [late.name]
    second.drop()
    assert not first.folder.exists()


def test_a_folder_belongs_to_one_study_whatever_others_are_called(tmp_path: Path) -> None:
    assert open_runs(tmp_path / "runs", "tiny", "a") == tmp_path / "runs" / "tiny"
    assert open_runs(tmp_path / "runs", "tiny", "b") == tmp_path / "runs" / "tiny-2"
    assert open_runs(tmp_path / "runs", "tiny", "a") == tmp_path / "runs" / "tiny"
    for name in ("..", "a/b", "../out", "with space"):
        assert open_runs(tmp_path / "runs", name, "a").parent == tmp_path / "runs"


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StudyError, match=r"/tiny: the folder of checkpoints must be writable, but: .*; give another --runs"):
        open_runs(tmp_path / "runs", "tiny", "a")


def test_what_no_row_stands_for_is_removed_and_running_trials_are_left_alone(tmp_path: Path) -> None:
    runs = open_runs(tmp_path, "tiny", "a")
    kept = {number: CheckpointStore(runs / str(number), "mark").keep(0, 0, 3, b"x") for number in range(4)}
    CheckpointStore(runs / "1", "mark").keep(0, 0, 9, b"never acknowledged")
    (runs / "1" / "fold0-0-12-mark.safetensors.77").write_bytes(b"half")
    (runs / "2" / "fold0-0-12-mark.safetensors.77").write_bytes(b"half")
    (runs / "notes.txt").write_text("a person's")
    long_ago = time.time() - 2 * SETTLED_S
    for file in runs.rglob("*"):
        os.utime(file, (long_ago, long_ago))
    young = CheckpointStore(runs / "4", "mark").keep(0, 0, 3, b"of a worker that has just begun")
    assert reconcile(runs, {1: [kept[1].name]}, running=[2]) == 4
    assert (runs / "4" / young.name).exists()
    CheckpointStore(runs / "4", "mark").drop()
    assert not (runs / "0").exists()
    there = sorted(str(file.relative_to(runs)) for file in runs.rglob("*") if file.is_file())
    assert there == [f"1/{kept[1].name}", "2/fold0-0-12-mark.safetensors.77", f"2/{kept[2].name}", "notes.txt", "study"]


def test_workers_tidy_one_folder_at_once(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / str(number)).mkdir()
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(lambda _: reconcile(tmp_path, {}, []), range(8))] == [0] * 8
    assert not [*tmp_path.iterdir()]
