"""JPEG images are used with one note for the data set: how many there are, and whether labels could be told by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foils import load
from tests.support.tiny import write_dataset

LIGHTS = (("1", "rotating", 0.0), ("9", "backlit", None))
LOSSY = "image files are JPEG, which is lossy: its blocks and rounding are learned too; export the originals as PNG or TIFF "
LOSSY += "where they exist"


def write(folder: Path, *, frames: bool = False) -> Path:
    counts = {"candidate": 5, "top": 5, "misc": 5, "maybe": 2}
    return write_dataset(folder, counts=counts, channels=LIGHTS, slides=2, frames=frames)


def save_as_jpeg(folder: Path, *labels: str, channel: str = "*") -> None:
    """Turn the crops of some labels into JPEG, under their old names."""
    pits = [row.split(",")[:2] for row in (folder / "labels.csv").read_text().splitlines()[1:]]
    for pit, label in pits:
        for path in (folder / "crops").glob(f"{pit}_{channel}.png") if label in labels else ():
            Image.fromarray(np.asarray(Image.open(path))).save(path, "JPEG", quality=90)


def notes(folder: Path) -> list[str]:
    data = load(folder)
    assert load(folder).notes == data.notes  # packed before
    return [note for note in data.notes if "lossy" in note]


def test_lossless_images_have_no_note(tmp_path: Path) -> None:
    assert notes(write(tmp_path / "data")) == []


def test_images_that_are_all_jpeg_have_one_note(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    before = load(folder)
    save_as_jpeg(folder, "candidate", "top", "misc", "maybe")
    assert notes(folder) == [f"34 of 34 {LOSSY}"]
    after = load(folder)
    assert after.crops().shape == before.crops().shape
    assert np.abs(after.crops().astype(int) - before.crops()).mean() < 10


@pytest.mark.parametrize(
    ("labels", "channel", "count", "share"),
    [
        (("candidate",), "*", 10, ", and labels by them: 100% of the signal's files are JPEG, and 0% of the background's"),
        (("top", "maybe"), "*", 14, ", and labels by them: 0% of the signal's files are JPEG, and 50% of the background's"),
        (
            ("candidate", "misc"),
            "9",
            10,
            ", and labels by them: 50% of the signal's files are JPEG, and 25% of the background's",
        ),
        (("candidate", "top", "misc"), "9", 15, ""),
        (("maybe",), "*", 4, ""),
    ],
)
def test_a_mixture_is_named_with_the_labels_that_it_tells(
    tmp_path: Path, labels: tuple[str, ...], channel: str, count: int, share: str
) -> None:
    folder = write(tmp_path / "data")
    save_as_jpeg(folder, *labels, channel=channel)
    assert notes(folder) == [f"{count} of 34 {LOSSY}. A network can tell lossy files from the others{share}"]


def test_frames_count_as_files_and_for_each_of_their_pits(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True)
    path = folder / "frames" / "f1_s1_1.png"
    Image.fromarray(np.asarray(Image.open(path))).save(path, "JPEG")
    (note,) = notes(folder)
    assert note.startswith(f"1 of 4 {LOSSY}. A network can tell lossy files from the others")


def test_without_labels_no_share_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    save_as_jpeg(folder, "candidate")
    rows = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()]
    text = "\n".join(",".join([row[0], row[1] if row[0] == "pit" else "", *row[2:]]) for row in rows)
    (folder / "labels.csv").write_text(text + "\n")
    assert [note for note in load(folder, labelled=False).notes if "lossy" in note] == [
        f"10 of 34 {LOSSY}. A network can tell lossy files from the others"
    ]
