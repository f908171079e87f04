"""Models on disk: whole, replaced as a whole, refused where changed or missing, and left alone by what tidies checkpoints."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search.errors import StudyError
from search.selection.model_store import (
    LEFT_OVER_S,
    disk_errors,
    file_hashes,
    open_models,
    put_model,
    read_model,
    unfinished_model,
)
from search.selection.selection_record import ModelKey, ModelRecord, write_selection
from search.storage.checkpoints import SETTLED_S, reconcile
from search.storage.places import LAUNCH
from search.studies.launch_record import last_launch
from search.studies.study import Study, open_or_create

KEY = ModelKey(1, "ensemble", 2, "a" * 64)


def keep(folder: Path, content: str) -> None:
    with unfinished_model(folder) as unfinished:
        (unfinished / "model.json").write_text(content)
        put_model(unfinished, folder)


@pytest.fixture
def folder(finished: Study) -> Path:
    """A kept model that the study's last selection names."""
    folder = open_models(finished) / KEY.sha256
    keep(folder, "content")
    write_selection(finished, {}, KEY, ModelRecord(str(folder), file_hashes(folder)))
    return folder


def test_models_are_in_the_folder_of_the_last_launch(finished: Study, tmp_path: Path) -> None:
    assert open_models(finished) == tmp_path / "runs" / "tiny" / "models"
    assert open_models(finished, tmp_path / "elsewhere") == tmp_path / "elsewhere" / "tiny" / "models"


def test_without_a_launch_models_are_beside_the_database(finished: Study, tmp_path: Path) -> None:
    never = open_or_create("never launched", finished.storage, finished.plan)
    assert last_launch(never) is None
    assert open_models(never) == tmp_path / "runs" / "never launched" / "models"


def test_a_folder_that_moved_with_its_database_is_found_there(finished: Study, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    for name in ("studies.db", "runs"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    moved = Study("tiny", f"sqlite:///{tmp_path}/moved/studies.db")
    assert open_models(moved) == tmp_path / "moved" / "runs" / "tiny" / "models"
    assert read_model(moved, KEY) == {"model.json": b"content"}
    assert not (tmp_path / "runs").exists()


def test_a_folder_of_runs_elsewhere_is_named(finished: Study, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").rename(tmp_path / "archive")
    with pytest.raises(StudyError, match=r"the selected model must be where select kept it, but: No such file .* give --runs"):
        read_model(finished, KEY)
    assert read_model(finished, KEY, tmp_path / "archive") == {"model.json": b"content"}
    with pytest.raises(
        StudyError, match=f"^{tmp_path}/nowhere/tiny/models/{KEY.sha256}/model.json: the selected model must be"
    ):
        read_model(finished, KEY, tmp_path / "nowhere")


def test_the_tidying_of_checkpoints_leaves_models_alone(folder: Path) -> None:
    long_ago = time.time() - 10 * SETTLED_S
    for path in (folder / "model.json", folder, folder.parent):
        os.utime(path, (long_ago, long_ago))
    assert reconcile(folder.parents[1], {}, []) == 0
    assert (folder / "model.json").read_text() == "content"


def test_a_changed_model_is_refused_and_written_anew(finished: Study, folder: Path) -> None:
    (folder / "model.json").write_text("changed")
    with pytest.raises(StudyError, match="but this file has been changed; run `pitsearch select --study tiny` again") as caught:
        read_model(finished, KEY)
    assert len(str(caught.value).splitlines()) == 1
    keep(folder, "content")
    assert read_model(finished, KEY) == {"model.json": b"content"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_model_is_whole_or_absent(finished: Study) -> None:
    folder = open_models(finished) / KEY.sha256
    with pytest.raises(KeyboardInterrupt), unfinished_model(folder) as unfinished:
        (unfinished / "model.json").write_text("half")
        raise KeyboardInterrupt
    assert not [*folder.parent.iterdir()]


def test_what_a_dead_process_left_is_removed_a_day_later(finished: Study) -> None:
    models = open_models(finished)
    old, young = (models / f"{KEY.sha256}.{name}.unfinished" for name in ("old", "young"))
    for path in (old, young):
        path.mkdir()
    os.utime(old, (time.time() - 2 * LEFT_OVER_S,) * 2)
    open_models(finished)
    assert [*models.iterdir()] == [young]


def test_only_what_is_ours_is_removed(finished: Study, folder: Path, tmp_path: Path) -> None:
    elsewhere, models = tmp_path / "elsewhere", folder.parent
    elsewhere.mkdir()
    (elsewhere / "thesis.tex").write_text("precious")
    (models / f"{'b' * 64}.abc.unfinished").symlink_to(elsewhere)
    (models / "letters.unfinished").mkdir()
    for path in (elsewhere, models / "letters.unfinished"):
        os.utime(path, (0, 0))
    os.utime(models / f"{'b' * 64}.abc.unfinished", (0, 0), follow_symlinks=False)
    open_models(finished)
    assert [path.name for path in elsewhere.iterdir()] == ["thesis.tex"]
    assert (models / "letters.unfinished").is_dir()
    (folder / "notes.txt").write_text("a person's")
    keep(folder, "content")
    assert (folder / "notes.txt").read_text() == "a person's"
    keep(folder, "new content")
    assert [path.read_text() for path in models.rglob("notes.txt")] == ["a person's"]
    assert file_hashes(folder) == {"model.json": hashlib.sha256(b"new content").hexdigest()}


def test_processes_that_keep_one_model_at_once_leave_one_whole(finished: Study) -> None:
    folder = open_models(finished) / KEY.sha256
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: keep(folder, f"content {number}"), range(8)))
    assert (folder / "model.json").read_text().startswith("content ")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_folder_taken_away_while_its_files_are_read_is_written_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hashes_of_what_is_taken_away(read: Path) -> dict[str, str]:
        if read == folder and folder.is_dir():
            shutil.rmtree(folder)
            return {file.name: "" for file in os.scandir(folder)}
        return file_hashes(read)

    monkeypatch.setattr("search.selection.model_store.file_hashes", hashes_of_what_is_taken_away)
    keep(folder, "content")
    assert file_hashes(folder) == {"model.json": hashlib.sha256(b"content").hexdigest()}


def test_hashes_are_of_files_by_name(folder: Path) -> None:
    assert file_hashes(folder) == {"model.json": hashlib.sha256(b"content").hexdigest()}
    assert file_hashes(folder / "nowhere") == {}


def test_a_disk_that_takes_nothing_is_refused(finished: Study, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "runs")
    (tmp_path / "runs").write_text("")
    launched = finished.optuna.user_attrs[LAUNCH]
    with pytest.raises(
        StudyError, match="the folder of checkpoints must be writable, but: Not a directory; give another --runs"
    ):
        open_models(finished)
    assert finished.optuna.user_attrs[LAUNCH] == launched
    with pytest.raises(StudyError, match="a model's folder must be writable, but: No space left"), disk_errors(tmp_path):
        raise OSError(28, "No space left on device")
