"""The lock of a data set is shared by its studies: a relabelled, renamed or grown data set keeps it, and every look counts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from foils import Dataset, load
from foils.held_out_log import LOG, Opened, read_log
from search.errors import StudyError
from search.launcher.callbacks import Callback
from search.studies.lock import SeenBefore, record_opening
from search.studies.study import Study
from tests.support.studies import start
from tests.support.tiny import write_dataset


class Notes(Callback):
    """Keeps what a launch says before it starts."""

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.notes = tuple(notes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data-set folder that may be changed."""
    return write_dataset(tmp_path / "data")


def launched(data: Dataset, folder: Path, name: str, **settings: Any) -> tuple[Study, tuple[str, ...]]:
    """Launch a study of one short trial, and give it with what it said at its start."""
    notes = Notes()
    return start(data, folder, study=name, trials=1, ladder="5x1", callbacks=[notes], **settings), notes.notes


def correct_a_label(folder: Path, data: Dataset) -> None:
    """Correct the label of one pit, as a person would."""
    pit = next(pit for pit in data.pits if pit.label == "top")
    text = (folder / "labels.csv").read_text()
    (folder / "labels.csv").write_text(text.replace(f"{pit.pit},top,", f"{pit.pit},bottom,"))


def test_a_corrected_label_another_name_and_another_seed_leave_the_held_out_set_as_it_is(folder: Path, tmp_path: Path) -> None:
    data = load(folder)
    first, _ = launched(data, tmp_path, "first")
    correct_a_label(folder, data)
    (folder / "foil.toml").write_text((folder / "foil.toml").read_text().replace('name = "tiny"', 'name = "other"'))
    second, notes = launched(load(folder), tmp_path, "second", seed=5)
    assert second.plan.fingerprint != first.plan.fingerprint
    assert second.plan.held_out == first.plan.held_out
    assert not [note for note in notes if "searched before" in note or "read before" in note]


def test_new_pits_join_and_old_ones_stay(folder: Path, tmp_path: Path) -> None:
    first, _ = launched(load(folder), tmp_path, "first")
    new = load(write_dataset(tmp_path / "new", seed=7))
    lines = (new.folder / "labels.csv").read_text().splitlines()[1:]
    with (folder / "labels.csv").open("a") as stream:
        stream.write("".join(f"{line.replace('p', 'q', 1).replace(',f1,', ',f2,')}\n" for line in lines))
    for file in (new.folder / "crops").iterdir():
        shutil.copy(file, folder / "crops" / file.name.replace("p", "q", 1))
    second, _ = launched(load(folder), tmp_path, "second")
    held_out = set(second.plan.held_out)
    assert {name for name in held_out if name.startswith("p")} == set(first.plan.held_out)
    assert {name for name in held_out if name.startswith("q")}
    assert read_log(folder).by_name.keys() == {pit.pit for pit in load(folder).pits}


def test_a_set_that_was_searched_or_read_before_is_said_at_the_start(folder: Path, tmp_path: Path) -> None:
    data = load(folder)
    study, _ = launched(data, tmp_path, "first")
    locked = study.plan.held_out_set(data)
    record_opening(folder, [], Opened("another", "t", "", locked.pixel_hashes))
    _, notes = launched(data, tmp_path, "second")
    assert "the held-out pits were read before, by this study or another one (1 opening)" in notes
    slides, notes = launched(data, tmp_path, "by slide", slides=("2",))
    assert {pit.slide for pit in slides.plan.held_out_set(data).pits} == {"2"}
    searched = sum(pit.slide == "2" and pit.pit not in study.plan.held_out for pit in data.pits)
    share = searched / sum(pit.slide == "2" for pit in data.pits)
    assert f"{share:.0%} of the held-out pits were searched before: their reading will flatter the model" in notes


def test_a_study_goes_on_with_its_own_set_where_the_log_is_gone(folder: Path, tmp_path: Path) -> None:
    data = load(folder)
    study, _ = launched(data, tmp_path, "first")
    (folder / LOG).unlink()
    again, _ = launched(data, tmp_path, "first")
    assert again.plan == study.plan
    assert read_log(folder).by_name.keys() == {pit.pit for pit in data.pits}
    with pytest.raises(StudyError, match="was made with another held-out set"):
        launched(data, tmp_path, "first", slides=("2",))


def test_a_folder_that_cannot_be_written_to_is_said(folder: Path, tmp_path: Path) -> None:
    data = load(folder)
    (folder / LOG).mkdir()
    _, notes = launched(data, tmp_path, "first")
    assert f"{data.folder} cannot be written to (Is a directory): other studies do not know of this held-out set" in notes
    assert record_opening(data.folder, [], Opened("study", "t", "", ())) is None


def test_openings_of_several_studies_are_counted_together_and_once(folder: Path) -> None:
    def open_as(name: str) -> SeenBefore | None:
        earlier = Opened(name, f"{name} before", "", ("aa",))
        return record_opening(folder, [earlier], Opened(name, f"{name} now", "", ("aa", "bb")))

    with ThreadPoolExecutor(4) as pool:
        seen = [*pool.map(open_as, "abcd")]
    assert sorted(one.openings for one in seen if one is not None) == [1, 3, 5, 7]
    assert record_opening(folder, [], Opened("e", "e", "", ("cc",))) == SeenBefore(0, 0.0)
    assert open_as("a") == seen[0]  # recorded before: nothing is counted twice
