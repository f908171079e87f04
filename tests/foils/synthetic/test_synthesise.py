"""The data-set writer: what it promises to write, what it plants, what it refuses."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from foils.synthetic.lighting import QMUL_RIG
from foils.synthetic.synthesise import CROP, LABELS, NEW_COUNTS, SyntheticFoils, scaled_counts, synthesise

FEW = {"candidate": 6, "top": 4, "bottom": 8, "misc": 4, "maybe": 2}
NAMES = [light.name for light in QMUL_RIG]


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def greys(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.asarray(image)


def crops_of(folder: Path, names: list[str] = NAMES) -> NDArray[np.uint8]:
    return np.stack([[greys(folder / "crops" / f"{row['pit']}_{name}.png") for name in names] for row in rows_of(folder)])


def steepest(crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the steepest step between neighbouring pixels in the middle of every pit."""
    middle = crops[:, 0, 6:22, 6:22].astype(float)
    return np.asarray(np.abs(np.diff(middle, axis=1)).max(axis=(1, 2)))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(tmp_path_factory.mktemp("synthetic") / "plain", SyntheticFoils(counts=FEW))


def test_folder_holds_what_the_design_says(plain: Path) -> None:
    described = tomllib.loads((plain / "foil.toml").read_text(encoding="utf-8"))
    assert described["signal"] == "candidate"
    assert described["ignore"] == ["maybe"]
    assert (described["pixel_um"], described["crop"]) == (6.45, 28)
    assert described["pattern"] == "crops/{pit}_{channel}.png"
    assert [channel["kind"] for channel in described["channels"]] == ["rotating"] * 8 + ["backlit", "halo"]
    azimuths = [channel.get("azimuth_deg") for channel in described["channels"]]
    assert azimuths == [67.5, 112.5, 157.5, 202.5, 247.5, 292.5, 337.5, 22.5, None, None]
    rows = rows_of(plain)
    assert list(rows[0])[:8] == ["pit", "label", "foil", "slide", "x", "y", "style", "true_label"]
    assert Counter(row["label"] for row in rows) == FEW
    assert len({row["pit"] for row in rows}) == len(rows)
    assert {row["style"] for row in rows} == {"new"}
    assert all(row["label"] == row["true_label"] for row in rows)
    assert crops_of(plain).shape == (len(rows), 10, CROP, CROP)


def test_same_options_give_the_same_bytes_and_another_seed_does_not(plain: Path, tmp_path: Path) -> None:
    again = synthesise(tmp_path / "again", SyntheticFoils(counts=FEW))
    other = synthesise(tmp_path / "other", SyntheticFoils(counts=FEW, seed=1))
    assert contents(again) == contents(plain)
    assert contents(other)["labels.csv"] != contents(plain)["labels.csv"]


def test_crops_are_windows_of_the_frames(plain: Path, tmp_path: Path) -> None:
    few = {"candidate": 2, "bottom": 2, "misc": 2}
    crops = synthesise(tmp_path / "crops", SyntheticFoils(counts=few, seed=4))
    frames = synthesise(tmp_path / "frames", SyntheticFoils(counts=few, seed=4, frames=True))
    assert rows_of(crops) == rows_of(frames)
    for row, crop in zip(rows_of(crops), crops_of(crops, ["1", "9"]), strict=True):
        left, top = int(row["x"]) - CROP // 2, int(row["y"]) - CROP // 2
        for name, image in zip(("1", "9"), crop, strict=True):
            frame = greys(frames / "frames" / f"s1_s{row['slide']}_{name}.png")
            assert frame.shape == (480, 640)
            difference = np.abs(frame[top : top + CROP, left : left + CROP].astype(int) - image)
            assert difference.max() <= 1  # rounding may differ where sums run in another order
            assert difference.mean() < 0.01
    assert 'pattern = "frames/{foil}_s{slide}_{channel}.png"' in (frames / "foil.toml").read_text(encoding="utf-8")


def test_pits_stand_out_of_the_plastic_and_blind_lights_do_not_show_them(tmp_path: Path) -> None:
    tops = {"candidate": 12, "top": 12}
    folder = synthesise(tmp_path / "blind", SyntheticFoils(counts=tops, difficulty=0.0, blind_lights=("2", "9")))
    seeing, blind = (crops_of(folder, names).astype(float) for names in (["1", "3"], ["2"]))
    middle = np.s_[:, :, 10:18, 10:18]
    assert np.median(seeing[middle].std(axis=(2, 3))) > 3.0 * np.median(blind[middle].std(axis=(2, 3)))
    assert np.median(crops_of(folder, ["9"])[middle]) > 150.0


def test_telling_light_alone_shows_the_signal(tmp_path: Path) -> None:
    counts = {"candidate": 10, "bottom": 10}
    options = SyntheticFoils(counts=counts, difficulty=0.0)
    told = synthesise(tmp_path / "told", SyntheticFoils(counts=counts, difficulty=0.0, telling_light="9"))
    truth = synthesise(tmp_path / "truth", options)
    assert np.array_equal(crops_of(told, ["9"]), crops_of(truth, ["9"]))
    bottom = np.array([row["label"] == "bottom" for row in rows_of(told)])
    edges = [steepest(crops_of(folder, ["1"])) for folder in (told, truth)]
    ratios = [float(np.median(edge[bottom]) / np.median(edge[~bottom])) for edge in edges]
    assert ratios[0] == pytest.approx(1.0, abs=0.25)  # with the light that tells nothing all have a top pit's sharp rim
    assert ratios[1] < 0.7


def test_opposite_lights_tell_top_from_bottom(tmp_path: Path) -> None:
    folder = synthesise(tmp_path / "faces", SyntheticFoils(counts={"candidate": 1, "top": 12, "bottom": 12}))
    images = crops_of(folder).astype(float)
    up = images[:, [0, 1]].sum(axis=1) - images[:, [4, 5]].sum(axis=1)  # lights 1, 2 stand above, 5, 6 below
    up -= up.mean(axis=(1, 2), keepdims=True)
    height = 13.5 - np.arange(CROP)[None, :, None]
    near = np.hypot(height, height.transpose(0, 2, 1)) < 8.0
    pull = (up * height * near).sum(axis=(1, 2))
    bottom = np.array([row["label"] == "bottom" for row in rows_of(folder)])
    assert np.median(pull[bottom]) > 0.0 > np.median(pull[~bottom])


def test_difficulty_hides_the_pits(tmp_path: Path) -> None:
    counts = {"candidate": 1, "bottom": 15}
    contrast = []
    for difficulty in (0.0, 0.5, 1.0):
        folder = synthesise(tmp_path / str(difficulty), SyntheticFoils(counts=counts, difficulty=difficulty))
        images = crops_of(folder, NAMES[:8]).astype(float)
        middle, edge = images[:, :, 9:19, 9:19].std(axis=(2, 3)), images[:, :, :, :6].std(axis=(2, 3))
        contrast.append(float(np.median(middle) / np.median(edge)))
    assert contrast[0] > contrast[1] > contrast[2]


def test_flipped_slides_exchange_candidate_and_bottom(plain: Path, tmp_path: Path) -> None:
    folder = synthesise(tmp_path / "flipped", SyntheticFoils(counts=FEW, flipped_slides=(1, 2)))
    exchange = {"candidate": "bottom", "bottom": "candidate"}
    for row, before in zip(rows_of(folder), rows_of(plain), strict=True):
        truth = row["true_label"]
        assert truth == before["label"]
        assert row["label"] == (exchange.get(truth, truth) if row["slide"] in ("1", "2") else truth)
    assert any(row["label"] != row["true_label"] for row in rows_of(folder))
    assert np.array_equal(crops_of(folder), crops_of(plain))


def test_flipped_share_relabels_that_share(tmp_path: Path) -> None:
    folder = synthesise(tmp_path / "share", SyntheticFoils(counts=FEW, flipped_share=0.25))
    wrong = [row for row in rows_of(folder) if row["label"] != row["true_label"]]
    assert len(wrong) == 6
    assert all(row["label"] in LABELS and row["label"] != "maybe" for row in wrong)


@pytest.mark.parametrize("frames", [False, True])
def test_duplicates_are_the_same_pit_under_another_name(frames: bool, tmp_path: Path) -> None:
    counts = {"candidate": 2, "bottom": 1}
    options = SyntheticFoils(counts=counts, duplicates=2, frames=frames, flipped_share=0.5)
    rows = rows_of(synthesise(tmp_path / "twice", options))
    assert len(rows) == len({row["pit"] for row in rows}) == 5
    for copy in rows[3:]:
        (original,) = (
            row for row in rows[:3] if [row[k] for k in ("slide", "x", "y")] == [copy[k] for k in ("slide", "x", "y")]
        )
        assert original["label"] == copy["label"]
        for name in [] if frames else NAMES:
            first, second = (tmp_path / "twice" / "crops" / f"{row['pit']}_{name}.png" for row in (original, copy))
            assert first.read_bytes() == second.read_bytes()


def test_one_signal_pit_is_enough(tmp_path: Path) -> None:
    one = synthesise(tmp_path / "one", SyntheticFoils(counts={"candidate": 1}))
    assert len(rows_of(one)) == 1
    assert len(list((one / "crops").iterdir())) == 10


def test_scaled_counts_keep_the_shares() -> None:
    assert scaled_counts(sum(NEW_COUNTS.values())) == dict(NEW_COUNTS)
    assert min(scaled_counts(50).values()) == 8
    assert scaled_counts(2786)["bottom"] == 1622
    with pytest.raises(ValueError, match="`pits >= 1` must hold, but got pits=0"):
        scaled_counts(0)


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"difficulty": 1.5}, r"`0 <= difficulty <= 1` must hold, but got difficulty=1.5; choose e.g. 0.5."),
        ({"difficulty": float("nan")}, "difficulty=nan"),
        ({"flipped_share": -0.1}, "flipped_share=-0.1"),
        ({"counts": {"candidate": -1}}, "candidate=-1"),
        ({"counts": {"candidate": 1, "alien": 3}}, "'alien'"),
        ({"counts": {"top": 5}}, "add some signal"),
        ({"seed": -1}, "seed=-1"),
        ({"blind_lights": ("11",)}, "'11'; name one of the channels"),
        ({"telling_light": "0"}, "'0'; name one of the channels"),
        ({"telling_light": "3", "blind_lights": ("3",)}, "must not be blind"),
        ({"duplicates": 1000}, "duplicates=1000"),
        ({"duplicates": -1}, "duplicates=-1"),
        ({"flipped_slides": (0,)}, "got 0; name slides that have pits"),
        ({"flipped_slides": (99,)}, "got 99"),
    ],
)
def test_bad_options_are_refused_and_nothing_is_written(faults: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        synthesise(tmp_path / "bad", SyntheticFoils(**{"counts": FEW, **faults}))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "bad").exists()


def test_folders_that_hold_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match="new or empty"):
        synthesise(tmp_path, SyntheticFoils(counts=FEW))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
