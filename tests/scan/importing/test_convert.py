"""Every kind of source becomes a data set with the same pixels; what is wrong with one is one line, and leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from foils import DataError, load
from foils.open_image import Grey
from foils.readiness import obstacles
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.errors import PitsearchError
from scan.errors import ScanError
from scan.importing.convert import KINDS, import_pits
from scan.importing.pit_table import ImportOptions, names_of
from tests.support import sources
from tests.support.sources import LABELS, SIGNALS, drawn
from tests.support.tiny import write_dataset

WRITERS: dict[str, tuple[str, Callable[[Path, Grey], Path]]] = {
    "npz": ("qmul", sources.as_npz),
    "parquet": ("qmul", sources.as_parquet),
    "folders": ("folders", sources.as_class_folders),
    "csv": ("csv", sources.as_path_table),
    "zooniverse": ("zooniverse", sources.as_classifications),
    "ome-tiff": ("ome-tiff", sources.as_ome_tiff),
    "zarr": ("zarr", sources.as_zarr),
    "ome-zarr": ("zarr", sources.as_ome_zarr),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_comes_back_with_the_same_pixels(tmp_path: Path, name: str) -> None:
    dtype = np.uint16 if name in ("parquet", "zooniverse", "ome-tiff", "ome-zarr") else np.uint8
    crops = drawn(dtype=dtype) * (200 if dtype == np.uint16 else 1)
    _, write = WRITERS[name]
    data, _ = import_pits(write(tmp_path / "source", crops), tmp_path / "mine")
    again = load(tmp_path / "mine")
    assert (again.fingerprint, again.folder) == (data.fingerprint, data.folder)
    # Class folders come in the order of their names.
    order = [*range(SIGNALS, len(LABELS)), *range(SIGNALS)] if name in ("folders", "npz") else [*range(len(LABELS))]
    assert np.array_equal(again.crops(), crops[order])
    assert again.pixels.dtype == dtype
    expected = [LABELS[number] for number in order]
    assert again.labels.tolist() == ([*expected[:-1], "maybe"] if name == "zooniverse" else expected)
    assert again.description.channels == QMUL_RIG
    assert obstacles(again) == ()


def test_there_is_a_test_for_every_kind() -> None:
    assert {kind for kind, _ in WRITERS.values()} == set(KINDS)


def test_what_a_source_says_of_its_pits_is_kept(tmp_path: Path) -> None:
    data, _ = import_pits(sources.as_path_table(tmp_path / "table", drawn()), tmp_path / "a")
    assert (data.pits[2].x, data.pits[2].y, data.pits[2].slide, data.pits[2].further) == (60.0, 9.5, "4", (("seen_by", "me"),))
    data, notes = import_pits(sources.as_parquet(tmp_path / "table", drawn()), tmp_path / "b")
    assert {pit.slide for pit in data.pits} == {"7"}
    assert notes == ("table.parquet: 1 of 53 pits left out: their crops are not of the others' size",)
    data, notes = import_pits(sources.as_classifications(tmp_path / "votes", drawn()), tmp_path / "c")
    assert dict(data.pits[0].further) == {"vote_share": "0.8000", "votes": "5", "subject": "9000"}
    assert (data.pits[3].pit, data.pits[3].slide) == ("h3", "5")
    assert notes == ("classifications.csv: 27 second, other answers of one person left out",)


def test_fewer_votes_are_enough_where_that_is_asked(tmp_path: Path) -> None:
    source = sources.as_classifications(tmp_path / "votes", drawn())
    with pytest.raises(DataError, match="at least 5 pits must carry the signal label 'candidate', but got 0"):
        import_pits(source, tmp_path / "strict", ImportOptions(share=0.9))
    data, _ = import_pits(source, tmp_path / "loose", ImportOptions(share=0.55))
    assert data.labels[-1] == "candidate"  # three of five said so


def test_mirrored_scans_are_turned_and_their_lights_reordered(tmp_path: Path) -> None:
    crops = drawn()
    data, _ = import_pits(sources.as_zarr(tmp_path / "back", crops), tmp_path / "mine", ImportOptions(mirrored=True))
    lights = [1, 0, 7, 6, 5, 4, 3, 2, 8, 9]  # 2 1 8 7 6 5 4 3, then backlit and halo
    assert np.array_equal(data.crops(), crops[:, lights, :, ::-1])


def test_mirrored_scans_are_refused_where_no_light_is_the_mirrored_one(tmp_path: Path) -> None:
    channels = (("a", "rotating", 10.0), ("b", "rotating", 90.0))
    like = write_dataset(tmp_path / "like", channels=channels)
    source = sources.as_zarr(tmp_path / "back", drawn(2))
    with pytest.raises(ScanError, match="lie left and right in pairs, but got azimuths 10, 90"):
        import_pits(source, tmp_path / "mine", ImportOptions(mirrored=True, like=like))
    assert import_pits(source, tmp_path / "mine", ImportOptions(like=like))[0].description.channels[0].azimuth_deg == 10.0


def _pickled_npz(folder: Path) -> Path:
    path = folder / "sig.npz"
    np.savez(path, rim=np.array([np.zeros((28, 28, 8)), None], dtype=object))
    return path


def _scaled(folder: Path) -> Path:
    np.savez(folder / "sig.npz", b=np.full((3, 28, 28), 0.25))
    return folder / "sig.npz"


def _no_columns(folder: Path) -> Path:
    np.savez(folder / "sig.npz", images=np.zeros((3, 28, 28)))
    return folder / "sig.npz"


def _colour(folder: Path) -> Path:
    (folder / "s" / "top").mkdir(parents=True)
    tifffile.imwrite(
        folder / "s" / "top" / "a.tif", np.eye(12, dtype=np.uint8)[..., None] * np.array([1, 2, 3], np.uint8), photometric="rgb"
    )
    return folder / "s"


def _missing_image(folder: Path) -> Path:
    return sources.write_table(folder / "t.csv", [{"path": "none.png", "label": "top"}])


def _two_kinds(folder: Path) -> Path:
    return sources.write_table(folder / "t.csv", [{"name": "none.png", "label": "top"}])


def _few_rows(folder: Path) -> Path:
    path = sources.as_ome_tiff(folder / "stack", drawn())
    sources.write_table(folder / "stack.csv", sources.label_rows()[:4])
    return path


def _no_rows(folder: Path) -> Path:
    path = sources.as_zarr(folder / "stack", drawn())
    (folder / "stack.csv").unlink()
    return path


def _cut_short(folder: Path) -> Path:
    path = sources.as_ome_tiff(folder / "stack", drawn())
    path.write_bytes(path.read_bytes()[:40])
    return path


def _pickled_zarr(folder: Path) -> Path:
    path = sources.as_ome_zarr(folder / "stack", drawn())
    table = json.loads((path / "0" / ".zarray").read_text())
    (path / "0" / ".zarray").write_text(json.dumps(table | {"filters": [{"id": "pickle", "protocol": 5}]}))
    return path


def _three_lights(folder: Path) -> Path:
    return sources.as_zarr(folder / "stack", drawn(3))


def _no_json(folder: Path) -> Path:
    row = sources.vote(1, "me", "candidate", {"1": {}}) | {"annotations": "[{'task'"}
    return sources.write_table(folder / "votes.csv", [row])


def _no_image_named(folder: Path) -> Path:
    return sources.write_table(folder / "votes.csv", [sources.vote(1, "me", "candidate", {"1": {"retired": None}})])


BAD: tuple[tuple[Callable[[Path], Path], str], ...] = (
    (_pickled_npz, "arrays of numbers, but: Object arrays cannot be loaded"),
    (_scaled, "before they are scaled"),
    (_no_columns, "must have the columns rim, b, h, but got none"),
    (_colour, "the image has colours"),
    (_missing_image, "but the file is missing"),
    (_two_kinds, "but looks like none of them; say it with --kind"),
    (_few_rows, "a stack of 52 pits must have as many rows, in its order, but got 4"),
    (_no_rows, "must come with a table"),
    (_cut_short, "a stack must be"),
    (_pickled_zarr, "only moves or compresses bytes, but got 'pickle'"),
    (_three_lights, "the lights of 3 images must be known"),
    (_no_json, "classification 1 must be as Zooniverse exports it"),
    (_no_image_named, "its metadata must name its image"),
    (lambda folder: folder / "none.npz", "a source must be there, but is not"),
)


@pytest.mark.parametrize(("write", "said"), BAD, ids=[getattr(write, "__name__", "?").strip("_") for write, _ in BAD])
def test_a_wrong_source_is_one_line_and_leaves_nothing(tmp_path: Path, write: Callable[[Path], Path], said: str) -> None:
    (tmp_path / "in").mkdir()
    source = write(tmp_path / "in")
    with pytest.raises(PitsearchError, match=said) as caught:
        import_pits(source, tmp_path / "mine")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="goes into a new folder, but this one exists"):
        import_pits(sources.as_zarr(tmp_path / "stack", drawn()), tmp_path / "mine")
    with pytest.raises(ScanError, match="--kind must be one of qmul, folders"):
        import_pits(tmp_path / "stack.zarr", tmp_path / "new", ImportOptions(kind="hdf"))


def test_names_of_pits_differ_and_are_parts_of_files_names() -> None:
    assert names_of(["a b", "a/b", "../../x", "", "a_b"]) == ["a_b", "a_b-2", "_.._x", "pit", "a_b-3"]
