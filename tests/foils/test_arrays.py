"""Arrays become a data set like any other: what is wrong with them is said in a line, and leaves no folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foils import Channel, DataError, Dataset, load

LIGHTS = (Channel("left", "rotating", 180.0), Channel("below", "backlit"))
LABELS = ["candidate"] * 6 + ["bottom"] * 8


def crops(dtype: type[np.generic] = np.uint8, pits: int = 14) -> Any:
    return np.random.default_rng(1).integers(0, 250, (pits, 2, 12, 12)).astype(dtype)


def made(folder: Path, **changes: Any) -> Dataset:
    known: dict[str, Any] = {"crops": crops(), "labels": LABELS, "signal": "candidate", "channels": LIGHTS}
    return Dataset.from_arrays(folder, **{**known, **changes})


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_arrays_come_back_as_a_data_set(tmp_path: Path, dtype: type[np.generic]) -> None:
    values = crops(dtype)
    data = made(
        tmp_path / "mine", crops=values, slides=["1"] * 7 + ["2"] * 7, places=[(20.5 * n, 7.0) for n in range(14)], pixel_um=0.5
    )
    assert np.array_equal(data.crops(), values)
    assert data.labels.tolist() == LABELS
    assert data.description.channels == LIGHTS
    assert (data.description.pixel_um, data.pits[8].slide, data.pits[3].x, data.pits[3].y) == (0.5, "2", 61.5, 7.0)
    assert load(tmp_path / "mine").fingerprint == data.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crops": crops(np.float32)}, "must be uint8 or uint16 as the microscope stored them, but got float32"),
        ({"crops": crops()[:, 0]}, r"an array \[pits, channels, y, x\] of squares, but got \[14, 12, 12\]"),
        ({"crops": crops()[..., :8]}, r"of squares, but got \[14, 2, 12, 8\]"),
        ({"crops": [[1]]}, "but got list"),
        ({"labels": LABELS[:-1]}, "labels must have a value for each of the 14 pits, but got 13"),
        ({"labels": "candidate" * 14}, "labels must have a value for each"),
        ({"channels": LIGHTS[:1]}, "the second axis of the crops, 2 long, but got 1"),
        ({"pits": ["../x"] * 14}, "a pit's name must be letters"),
        ({"pits": ["x"] * 14}, "pit ids must be unique"),
        ({"signal": "top"}, "must carry the signal label 'top'"),
        ({"name": "a b"}, "`name` must be letters"),
        ({"places": [(1.0,)] * 14}, "places must hold x and y"),
        ({"slides": ["/"] * 14}, "`slide` must be letters"),
    ],
)
def test_what_is_no_data_set_is_refused_and_leaves_nothing(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        made(tmp_path / "mine", **changes)
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    made(tmp_path / "mine")
    with pytest.raises(DataError, match="arrays go into a new folder, but this one exists"):
        made(tmp_path / "mine", labels=LABELS[::-1])
    assert load(tmp_path / "mine").labels.tolist() == LABELS
