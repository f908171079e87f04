"""Pits photographed twice: found wherever they lie, mirrored too; different pits stay apart, also under one light."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from foils import DataError, Dataset, load
from foils.description import Channel
from foils.groups import find_groups
from foils.near_duplicates import ALIKE, look_alikes, mirrors, standardised
from foils.open_image import Grey
from foils.pit import Pit
from tests.support.tiny import CHANNELS, SIZE, write_dataset

LIGHTS = tuple(Channel(*channel) for channel in CHANNELS)


def pits_of(count: int) -> list[Pit]:
    return [Pit(f"p{number}", "top", "f", str(number)) for number in range(count)]


def plastic(count: int, edge: int, *, lights: int = len(CHANNELS), seed: int = 0) -> npt.NDArray[np.float64]:
    """Draw pits whose texture is their own, smooth over some pixels, `[pits, channels, y, x]`."""
    generator = np.random.default_rng(seed)
    images = generator.normal(0, 1, (count, lights, edge + 2, edge + 2))
    smooth = sum(images[..., y : y + edge, x : x + edge] for y in range(3) for x in range(3))
    return np.asarray(128 + 12 * smooth)


def photographed(plain: npt.NDArray[np.float64], seed: int, *, gain: float = 1.0, noise: float = 6.0) -> Grey:
    exposed = gain * plain + np.random.default_rng(seed).normal(0, noise, plain.shape)
    return np.clip(exposed, 0, 255).astype(np.uint8)


def test_pits_of_one_label_do_not_look_the_same(tiny: Dataset) -> None:
    shapes = standardised(tiny.crops())
    assert np.linalg.norm(shapes, axis=1) == pytest.approx(np.ones(len(tiny)), abs=1e-5)
    likeness = shapes @ shapes.T - np.eye(len(tiny))
    assert likeness.max() < ALIKE - 0.1
    assert look_alikes(tiny.crops(), mirrors(tiny.description.channels)) == []


@pytest.mark.parametrize("edge", [9, 12, 28, 29])
@pytest.mark.parametrize("lights", [1, 6])
def test_all_pits_photographed_twice_are_found_and_no_others(edge: int, lights: int) -> None:
    plain = plastic(60, edge, lights=lights)
    again = np.arange(5, 23)
    crops = np.concatenate([photographed(plain, 1), photographed(plain[again], 2, gain=1.1)])
    assert look_alikes(crops) == [(int(pit), 60 + number) for number, pit in enumerate(again)]


def test_more_pits_than_are_compared_at_once() -> None:
    plain = plastic(1300, 9)
    again = np.array([3, 511, 512, 1299])
    crops = np.concatenate([photographed(plain, 1), photographed(plain[again], 2)])
    assert look_alikes(crops) == [(int(pit), 1300 + number) for number, pit in enumerate(again)]


def test_no_pairs_are_missed_where_coarse_images_say_nothing() -> None:
    crops = photographed(np.full((200, 3, 12, 12), 128.0), 1, noise=40)  # no two pixels have anything in common
    crops[150] = crops[20] // 2
    assert look_alikes(crops) == [(20, 150)]


def test_the_back_of_a_foil_is_the_same_plastic() -> None:
    assert mirrors(LIGHTS) == [(3, (2, 1, 0, 3, 4, 5)), (2, (0, 3, 2, 1, 4, 5))]
    plain = plastic(40, 12)
    over_x = np.flip(plain[7][[2, 1, 0, 3, 4, 5]], 2)
    over_y = np.flip(plain[8][[0, 3, 2, 1, 4, 5]], 1)
    unlike = np.flip(plain[9], 2)  # the image mirrored, and its lights left where they are
    crops = np.concatenate([photographed(plain, 1), photographed(np.stack([over_x, over_y, unlike]), 2)])
    assert look_alikes(crops, mirrors(LIGHTS)) == [(7, 40), (8, 41)]
    assert look_alikes(crops) == []


def test_lights_without_counterparts_have_no_back() -> None:
    assert mirrors(LIGHTS[:2]) == []
    assert mirrors((Channel("9", "backlit"),)) == [(3, (0,)), (2, (0,))]
    assert mirrors(()) == []


def test_round_pits_under_one_light_form_no_giant_group() -> None:
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:12, :12] - 5.5
    radii = generator.uniform(1, 6, 300)[:, None, None]
    rings = 128 + 90 * np.exp(-((np.hypot(x, y) - radii) ** 2) / 4)
    crops = photographed(rings[:, None], 1, noise=2)
    shapes = standardised(crops)
    assert int((np.triu(shapes @ shapes.T, 1) > ALIKE).sum()) > 3000
    groups = find_groups(pits_of(300), crops, 12)
    assert np.bincount(groups.numbers).max() <= 3


def test_groups_join_pits_that_look_the_same() -> None:
    plain = plastic(20, 12)
    crops = np.concatenate([photographed(plain, 1), photographed(plain[[4, 9]], 2)])
    crops[15] = crops[4]
    groups = find_groups(pits_of(22), crops, 12, LIGHTS)
    assert groups.look_alike == ((4, 20), (9, 21))
    assert len(set(groups.numbers[[4, 15, 20]])) == len(set(groups.numbers[[9, 21]])) == 1
    assert len(set(groups.numbers.tolist())) == 19


def test_blank_crops_and_dead_lights_join_nothing() -> None:
    crops = photographed(plastic(20, 12), 1)
    crops[3], crops[4], crops[5] = 0, 0, 255
    crops[:, 2] = 7
    crops[8:12, 1:] = 0  # one light is left
    groups = find_groups(pits_of(20), crops, 12, LIGHTS)
    assert len(set(groups.numbers.tolist())) == 20
    assert groups.constant[3:6].all()
    assert groups.constant[:, 2].all()
    assert groups.copied == ()


def folder_of(folder: Path, change: Callable[[Grey], None]) -> Path:
    """Write a data set whose crops were changed, `[pits, channels, y, x]`."""
    write_dataset(folder, counts={"candidate": 10, "top": 10}, channels=CHANNELS[:3], suffix="tif", paged=True)
    crops = load(folder).crops()
    change(crops)
    for number, crop in enumerate(crops):
        tifffile.imwrite(folder / "crops" / f"p{number:03}.tif", crop, photometric="minisblack")
    return folder


def blank(crops: Grey) -> None:
    crops[2:9], crops[12, 1] = 255, 0


def dead(crops: Grey) -> None:
    crops[:, 1] = 0


def copied(crops: Grey) -> None:
    crops[:, 2] = crops[:, 0]


def copied_once(crops: Grey) -> None:
    crops[5, 1] = crops[5, 0]


def taken_again(crops: Grey) -> None:
    crops[6] = np.clip(crops[3].astype(np.int16) + np.arange(SIZE) % 2 * 3, 0, 255)


@pytest.mark.parametrize(
    ("change", "notes"),
    [
        (
            blank,
            [
                "7 crops hold one value all over, blank or saturated under every light (p002, p003, p004, p005, p006, ...)",
                "1 images hold one value all over, blank or saturated (p012 under 2)",
            ],
        ),
        (dead, ["channel '2' holds one value in each crop: a light that was off, or saturated?"]),
        (copied, ["channel '3' holds the same pixels as '1' in every crop: a copied file?"]),
        (copied_once, ["channel '2' holds the same pixels as '1' in 1 of 20 crops: a copied file?"]),
        (
            taken_again,
            [
                "2 pits share plastic with another (identical or overlapping crops, or such that look the same), in 1 groups, "
                "1 of them across slides, 0 with different labels; each group stays in one fold",
                "1 pairs of pits look the same though they lie apart (p003 and p006): frames that overlap, or a foil "
                "photographed twice? each pair stays in one fold",
            ],
        ),
    ],
)
def test_what_is_odd_is_named(tmp_path: Path, change: Callable[[Grey], None], notes: list[str]) -> None:
    assert list(load(folder_of(tmp_path / "data", change)).notes) == notes


def test_pits_to_be_scored_are_not_compared(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "data", taken_again)
    assert len(set(load(folder).groups.tolist())) == 19
    # Of labels that are there something may be claimed, also where they need not be there.
    assert len(set(load(folder, labelled=False).groups.tolist())) == 19
    (folder / "labels.csv").write_text(re.sub("(?m)^(p[0-9]+),[a-z]+,", r"\1,,", (folder / "labels.csv").read_text()))
    assert len(set(load(folder, labelled=False).groups.tolist())) == 20


def test_data_that_show_nothing_are_refused(tmp_path: Path) -> None:
    def empty(crops: Grey) -> None:
        crops[:] = np.arange(len(crops), dtype=np.uint8)[:, None, None, None]

    with pytest.raises(DataError) as caught:
        load(folder_of(tmp_path / "data", empty))
    assert caught.value.faults == (
        "tiny: crops must show something, but all 20 hold one value all over under every light; check the lights, the "
        "exposure, or x and y.",
    )
