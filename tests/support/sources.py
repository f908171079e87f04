"""Write the same pits as every kind of source that is imported."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet
import tifffile
import zarr

from foils.open_image import Grey

SIGNALS = 25
LABELS = ("candidate",) * SIGNALS + ("background",) * 27


def drawn(lights: int = 10, edge: int = 8, dtype: npt.DTypeLike = np.uint8) -> Grey:
    """Draw crops `[pits, channels, y, x]`, one for each of LABELS."""
    return np.random.default_rng(3).integers(0, 250, (len(LABELS), lights, edge, edge)).astype(dtype)


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as CSV."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def qmul_columns(crops: Grey) -> dict[str, npt.NDArray[np.generic]]:
    """Give the columns of QMUL's tables."""
    return {"rim": np.moveaxis(crops[:, :8], 1, 3), "b": crops[:, 8], "h": crops[:, 9]}


def as_npz(folder: Path, crops: Grey) -> Path:
    """Write a table for signal and one for background."""
    folder.mkdir()
    for name, part in (("sig", slice(0, SIGNALS)), ("bkg", slice(SIGNALS, None))):
        np.savez(folder / f"{name}.npz", **{key: value[part] for key, value in qmul_columns(crops).items()})  # type: ignore[arg-type]
    return folder


def as_parquet(folder: Path, crops: Grey) -> Path:
    """Write one table with labels, whose last row was not cropped as the others."""
    columns: dict[str, Any] = {name: values.tolist() for name, values in qmul_columns(crops).items()}
    columns = {name: [*cells, [row[:-1] for row in cells[-1]]] for name, cells in columns.items()}
    table = pyarrow.table({**columns, "label": [*LABELS, "background"], "slide": ["7"] * (len(LABELS) + 1)})
    path = folder.with_suffix(".parquet")
    pyarrow.parquet.write_table(table, path)
    return path


def as_class_folders(folder: Path, crops: Grey) -> Path:
    """Write a folder for each label."""
    for number, (label, crop) in enumerate(zip(LABELS, crops, strict=True)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / label / f"pit {number:02d}.tif", crop, photometric="minisblack", metadata=None)
    return folder


def as_path_table(folder: Path, crops: Grey) -> Path:
    """Write images, and a table of their paths with places and a further column."""
    as_class_folders(folder, crops)
    rows: list[dict[str, Any]] = [
        {"path": f"{label}/pit {number:02d}.tif", "label": label, "slide": 4, "x": 30 * number, "y": 9.5, "seen_by": "me"}
        for number, label in enumerate(LABELS)
    ]
    return write_table(folder / "pits.csv", rows)


def as_classifications(folder: Path, crops: Grey) -> Path:
    """Write images, and five people's answers to each; the last pit divides them."""
    folder.mkdir()
    rows: list[dict[str, Any]] = []
    for number, (label, crop) in enumerate(zip(LABELS, crops, strict=True)):
        tifffile.imwrite(folder / f"s{number}.tif", crop, photometric="minisblack", metadata=None)
        subject = {f"9{number:03d}": {"retired": None, "#image": f"s{number}.tif", "!hit": f"h{number}", "#slide": "5"}}
        for person in range(5):
            wrong = person == 0 or (number == len(LABELS) - 1 and person < 3)
            answer = "candidate" if (label == "candidate") != wrong else "background"
            rows.append(vote(len(rows), f"user{person}", answer, subject))
        rows.append(vote(len(rows), "user4", "candidate", subject))  # again: the first counts
    return write_table(folder / "classifications.csv", rows)


def vote(number: int, user: str, answer: str | None, subject: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row of an export."""
    return {
        "classification_id": number,
        "user_name": user,
        "annotations": json.dumps([{"task": "T0", "task_label": "What is it?", "value": answer}]),
        "subject_data": json.dumps(subject),
    }


def label_rows() -> list[dict[str, Any]]:
    """Give the rows that stand beside a stack."""
    return [{"pit": f"a{number}", "label": label, "foil": "f2", "slide": 3} for number, label in enumerate(LABELS)]


def as_ome_tiff(folder: Path, crops: Grey) -> Path:
    """Write a stack whose pits are times, and a table beside it."""
    path = folder.with_name(f"{folder.name}.ome.tif")
    tifffile.imwrite(path, crops, photometric="minisblack", metadata={"axes": "TCYX"}, ome=True)
    write_table(folder.with_suffix(".csv"), label_rows())
    return path


def as_zarr(folder: Path, crops: Grey) -> Path:
    """Write a group with an array of crops, and a table beside it."""
    path = folder.with_suffix(".zarr")
    group = zarr.create_group(str(path))
    group.create_array("crops", data=crops, chunks=(4, *crops.shape[1:]))
    write_table(folder.with_suffix(".csv"), label_rows())
    return path


def as_ome_zarr(folder: Path, crops: Grey) -> Path:
    """Write an OME-Zarr image of version 2, whose pits are its planes."""
    path = folder.with_suffix(".zarr")
    group = zarr.create_group(str(path), zarr_format=2)
    axes = [{"name": name} for name in "tczyx"]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}]}]
    group.create_array("0", data=np.moveaxis(crops, 0, 1)[None], chunks=(1, *crops.shape[1:2], 5, *crops.shape[2:]))
    write_table(folder.with_suffix(".csv"), label_rows())
    return path
