"""Loading a folder: broken ones are refused in full, one line a fault; good ones can be cut, counted and sent to workers."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from foils import DataError, Dataset, load
from tests.support.tiny import CHANNELS, COUNTS, SIZE, write_dataset

Break = Callable[[Path], object]


def edit(name: str, old: str, new: str, times: int = 1) -> Break:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, times))

    return change


def cut_short(folder: Path) -> None:
    path = folder / "crops" / "p003_1.png"
    path.write_bytes(path.read_bytes()[:60])


def forget(pattern: str) -> Break:
    def change(folder: Path) -> None:
        found = list(folder.glob(pattern))
        assert found
        for path in found:
            path.unlink()

    return change


def save(name: str, *, edge: int = SIZE, bits: int = 8) -> Break:
    values = np.zeros((edge, edge), np.uint8 if bits == 8 else np.uint16)
    return lambda folder: Image.fromarray(values).save(folder / "crops" / name)


def deepen(folder: Path) -> None:
    """Give one pit 16 bits in all its channels, so that it agrees with itself but with no other pit."""
    for name in ("1", "9"):
        save(f"p003_{name}.png", bits=16)(folder)


# What is broken, and the one line that says so: everything under 'Bad input gets' that a data set can do wrong.
BROKEN: dict[str, tuple[Break, str]] = {
    "no folder": (
        lambda folder: folder.rename(folder.with_name("other")),
        "FOLDER: a data set is a folder, but there is none by this name; check the path.",
    ),
    "no description": (
        forget("foil.toml"),
        "foil.toml: a data set needs this file, but FOLDER has none; see docs/data-format.md.",
    ),
    "missing column": (
        edit("labels.csv", "foil", "film"),
        "labels.csv:1: the columns pit, label, foil, slide must be there, but `foil` is missing (got pit, label, film, slide, "
        "x, y, style); add it.",
    ),
    "unknown label": (
        edit("labels.csv", "p002,top", "p002,tpo"),
        "labels.csv:4: `label` must be one of candidate, top, but got 'tpo'; correct it, or add it to `labels` in foil.toml.",
    ),
    "empty label": (
        edit("labels.csv", "p002,top", "p002,"),
        "labels.csv:4: `label` must not be empty (pit 'p002'); label it or remove the line.",
    ),
    "duplicate pit": (
        edit("labels.csv", "p002,", "p001,"),
        "labels.csv:4: pit ids must be unique, but got 'p001' again (first on line 3); rename or remove one.",
    ),
    "pit outside the folder": (
        edit("labels.csv", "p002,", "../../p002,"),
        "labels.csv:4: `pit` must be letters, digits, '.', '_' or '-' (it becomes part of a file name), but got '../../p002'; "
        "correct it.",
    ),
    "pattern outside the folder": (
        edit("foil.toml", "crops/", "../data/crops/"),
        "foil.toml:3: `pattern` must stay inside the folder, but got '../data/crops/{pit}_{channel}.png'; use a relative path.",
    ),
    "missing image": (
        forget("crops/p003_9.png"),
        "crops/p003_9.png: every image must be readable, but the file is missing; replace the file.",
    ),
    "truncated image": (
        cut_short,
        "crops/p003_1.png: every image must be readable, but the file is damaged (image file is truncated); replace the file.",
    ),
    "another size": (
        save("p003_9.png", edge=10),
        "crops/p003_9.png (10 x 10, uint8): the channels of one pit or slide must agree in size and bit depth (12 x 12, "
        "uint8); replace the file.",
    ),
    "another bit depth": (
        save("p003_9.png", bits=16),
        "crops/p003_9.png (12 x 12, uint16): the channels of one pit or slide must agree in size and bit depth (12 x 12, "
        "uint8); replace the file.",
    ),
    "a pit of another bit depth": (
        deepen,
        "crops/p003_1.png: every image must have one bit depth, that of the first (uint8); replace the file.",
    ),
    "missing channel": (
        forget("crops/*_9.png"),
        "foil.toml: each channel needs its images, but channel '9' has none (looked for crops/p000_9.png, ...); add them, or "
        "remove its [[channels]] entry.",
    ),
    "no signal pits": (
        edit("labels.csv", ",candidate,", ",top,", 5),
        "labels.csv: at least 5 pits must carry the signal label 'candidate', but got 0 (labels found: top); label some, or "
        "correct `signal` in foil.toml.",
    ),
    "fewer signal pits than folds": (
        edit("labels.csv", ",candidate,", ",top,"),
        "labels.csv: there must be at least as many signal pits as folds (5), but got 4 pits labelled 'candidate'; label more.",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five signal and five top pits, two channels: p002 is a top pit on line 4."""
    path = write_dataset(tmp_path / "data", counts={"candidate": 5, "top": 5}, channels=(CHANNELS[0], CHANNELS[4]), seed=1)
    assert (path / "labels.csv").read_text().splitlines()[3].startswith("p002,top")
    return path


@pytest.mark.parametrize(("broken", "line"), BROKEN.values(), ids=BROKEN)
def test_a_broken_folder_gets_one_line(folder: Path, broken: Break, line: str) -> None:
    broken(folder)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (line.replace("FOLDER", str(folder)),)
    assert str(caught.value) == caught.value.faults[0]
    assert "\n" not in str(caught.value)


def test_a_pit_of_another_size_names_both(folder: Path) -> None:
    for name in ("1", "9"):
        save(f"p003_{name}.png", edge=14)(folder)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (
        "crops/p003_1.png (14 x 14): every image must be 12 x 12 pixels; replace the file, or, if all are 14 x 14, add "
        "`resize_from = 14` or `cut_from = 14` (their middle is kept) to foil.toml.",
    )


def test_frames_may_differ_in_size(tmp_path: Path) -> None:
    folder = write_dataset(
        tmp_path / "data", counts={"candidate": 5, "top": 5}, suffix="tif", frames=True, paged=True, slides=2
    )
    whole = load(folder)
    frame = tifffile.imread(folder / "frames" / "f1_s2.tif")
    tifffile.imwrite(folder / "frames" / "f1_s2.tif", frame[:, :, :-8], photometric="minisblack")
    data = load(folder)
    assert data.pits == whole.pits
    np.testing.assert_array_equal(data.crops(), whole.crops())


def test_faults_of_labels_and_images_come_together(folder: Path) -> None:
    edit("labels.csv", "p002,top", "p002,tpo")(folder)
    edit("labels.csv", ",candidate,", ",,")(folder)
    cut_short(folder)
    forget("crops/p004_1.png")(folder)
    save("p005_9.png", edge=10)(folder)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert len(caught.value.faults) == len(str(caught.value).splitlines()) == 6
    for fault, start in zip(
        sorted(caught.value.faults),
        ("crops/p003_1.png: ", "crops/p004_1.png: ", "crops/p005_9.png (10", "labels.csv: ", "labels.csv:", "labels.csv:"),
        strict=True,
    ):
        assert fault.startswith(start)


def test_faults_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(DataError(["a: one", "b: two"])))  # noqa: S301 -- our own bytes
    assert error.faults == ("a: one", "b: two")
    assert str(error) == "a: one\nb: two"


def test_signal_background_and_what_is_never_scored(tiny: Dataset) -> None:
    assert tiny.counts() == COUNTS
    assert next(iter(tiny.counts())) == "candidate"
    assert int(tiny.is_signal.sum()) == 20
    assert int(tiny.is_background.sum()) == 50
    assert set(tiny.labels[~tiny.is_signal & ~tiny.is_background]) == {"maybe"}


def test_taken_pits_carry_their_own_pixels_and_no_others(tiny: Dataset) -> None:
    chosen = np.array([7, 3, 40])
    taken = tiny.take(chosen)
    assert [pit.pit for pit in taken.pits] == ["p007", "p003", "p040"]
    np.testing.assert_array_equal(taken.labels, tiny.labels[chosen])
    np.testing.assert_array_equal(taken.groups, tiny.groups[chosen])
    np.testing.assert_array_equal(taken.crops(), tiny.crops()[chosen])
    assert taken.crops().shape == (3, len(CHANNELS), SIZE, SIZE)
    assert taken.fingerprint == tiny.fingerprint
    with pytest.raises(IndexError):
        taken.take(np.array([40]))
    np.testing.assert_array_equal(taken.take(np.array([2])).crops(), tiny.crops()[[40]])


def test_crops_are_copies(tiny: Dataset) -> None:
    before = tiny.crops()
    crops = tiny.crops()
    crops[:] = 0
    np.testing.assert_array_equal(tiny.crops(), before)


def test_pits_are_found_by_slide(tiny: Dataset) -> None:
    on_two = tiny.on_slides(["2"])
    assert {tiny.pits[index].slide for index in on_two} == {"2"}
    assert len(on_two) == sum(pit.slide == "2" for pit in tiny.pits)
    np.testing.assert_array_equal(tiny.on_slides(["f1:2"]), on_two)
    with pytest.raises(DataError, match=r"^tiny: a slide must be in labels.csv, but got '9'; choose from 1, 2, 3, 4\.$"):
        tiny.on_slides(["2", "9"])


def test_a_data_set_is_sent_to_workers_without_its_pixels(tiny: Dataset) -> None:
    pixels = tiny.crops()
    sent = pickle.dumps(tiny)
    assert pixels[0, 0].tobytes() not in sent
    received = pickle.loads(sent)  # noqa: S301 -- our own bytes
    assert isinstance(received, Dataset)
    np.testing.assert_array_equal(received.crops(), pixels)
    assert (received.pits, received.fingerprint) == (tiny.pits, tiny.fingerprint)


def test_foil_to_be_scored_loads_without_labels(folder: Path) -> None:
    rows = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()]
    (folder / "labels.csv").write_text("\n".join(",".join([row[0], *row[2:]]) for row in rows))
    data = load(folder, labelled=False)
    assert data.counts() == {"": 10}
    assert not data.is_signal.any()
    assert data.crops().shape == (10, 2, SIZE, SIZE)
    with pytest.raises(DataError, match="`label` is missing"):
        load(folder)


def test_sixteen_bit_files_with_eight_bit_values_are_remarked_on(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 5, "top": 5}, channels=CHANNELS[:1])
    for path in (folder / "crops").iterdir():
        Image.fromarray(np.asarray(Image.open(path)).astype(np.uint16)).save(path)
    assert load(folder).notes == ("16-bit files hold only values up to 255: written from 8-bit images without scaling?",)


def test_a_channel_without_images_hides_no_other_fault(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 8, "bottom": 8})
    for path in (folder / "crops").glob("*_9.png"):
        path.unlink()
    (folder / "crops" / "p003_1.png").write_bytes(b"no image")
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (
        "foil.toml: each channel needs its images, but channel '9' has none (looked for crops/p000_9.png, ...); "
        "add them, or remove its [[channels]] entry.",
        "crops/p003_1.png: every image must be readable, but the file is no PNG, TIFF, BMP, TGA or JPEG image; replace the "
        "file.",
    )
