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


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder of somebody's, all of it old, with a file that is called like a checkpoint among others."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("thesis.tex", "fold0-0-3-mark.safetensors"):
        (folder / name).write_text("precious")
    (folder / "photos").mkdir()
    for path in (*folder.iterdir(), folder):
        os.utime(path, times=(0, 0))
    return folder


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_no_link_is_followed_where_files_are_removed_or_written(tmp_path: Path, elsewhere: Path) -> None:
    runs, before = open_runs(tmp_path, "tiny", "a"), listed(elsewhere)
    (runs / "999").symlink_to(elsewhere)
    shelf = CheckpointStore(runs / "999", "mark")
    assert reconcile(runs, {}, []) == 0
    shelf.tidy(saved())
    shelf.drop()
    with pytest.raises(StudyError, match="a checkpoint must be writable, but: it is a link, and links are not followed"):
        shelf.keep(0, 0, 9, b"content")
    assert listed(elsewhere) == before


def test_a_checkpoint_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path, elsewhere: Path) -> None:
    shelf = CheckpointStore(tmp_path / "7", "mark")
    one, two = (shelf.keep(fold, 0, 3, b"precious") for fold in range(2))
    for kept in (one, two):
        (shelf.folder / kept.name).unlink()
    (shelf.folder / one.name).symlink_to(elsewhere / "thesis.tex")
    os.mkfifo(shelf.folder / two.name)
    contents, faults = shelf.read(saved(one, two))
    assert (contents, len(faults)) == ({}, 2)
    shelf.drop()  # the link goes, and not what it leads to
    assert (listed(elsewhere)[-1], shelf.folder.exists()) == ("thesis.tex", False)


@pytest.mark.parametrize("name", ["999", "\N{SUPERSCRIPT TWO}", "-1", "1.5", "models"])
def test_only_files_with_names_of_ours_in_numbered_folders_are_removed(tmp_path: Path, elsewhere: Path, name: str) -> None:
    runs = open_runs(tmp_path, "tiny", "a")
    elsewhere.rename(runs / name)
    ours = ["fold0-0-3-mark.safetensors"] if name == "999" else []
    before = listed(runs / name)
    assert reconcile(runs, {}, []) == len(ours)
    assert listed(runs / name) == sorted({*before} - {*ours})
    CheckpointStore(runs / "999", "").drop()
    assert (runs / "999").exists() is (name == "999")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"another"])
def test_a_folder_whose_owner_is_no_study_of_ours_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "study").write_bytes(content)
    assert open_runs(tmp_path, "tiny", "a") == tmp_path / "tiny-2"
    assert (tmp_path / "tiny" / "study").read_bytes() == content


def test_folder_and_files_are_on_the_disk_before_anybody_hears_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[Path] = set()
    real = os.fsync

    def fsync(number: int) -> None:
        synced.add(Path(f"/proc/self/fd/{number}").readlink())
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    runs = open_runs(tmp_path / "new" / "runs", "tiny", "a")
    CheckpointStore(runs / "7", "mark").keep(0, 0, 3, b"content")
    assert {tmp_path, tmp_path / "new", tmp_path / "new" / "runs", runs, runs / "7"} <= synced
    files = {path.name.split(".")[0] for path in synced if path not in {runs, *runs.parents}}
    assert {"study", "fold0-0-3-mark"} <= files
