"""Import: every kind is read back with the same pixels; mirrored lights are reordered; a wrong source leaves nothing."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foils import load
from foils.description import Channel
from foils.errors import DataError
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.errors import PitsearchError
from scan.errors import ScanError
from scan.importing.run import ImportOptions, _mirror, guess, import_source, turned
from tests.support.sources import (
    CROPS,
    LABELS,
    SIGNAL,
    folders,
    npz,
    ome_tiff,
    parquet,
    paths,
    zarr_stack,
    zooniverse,
)

WRITERS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "npz": (npz, "tables"),
    "parquet": (parquet, "tables"),
    "folders": (folders, "folders"),
    "paths": (paths, "csv"),
    "zooniverse": (zooniverse, "zooniverse"),
    "ome-tiff": (ome_tiff, "stack"),
    "zarr": (zarr_stack, "stack"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_is_read_back_with_the_same_pixels(name: str, tmp_path: Path) -> None:
    write, kind = WRITERS[name]
    imported = import_source(write(tmp_path / "source"), tmp_path / "data", SIGNAL)
    data = load(tmp_path / "data")
    assert imported.kind == kind
    assert [light.name for light in data.description.channels] == [light.name for light in QMUL_RIG]
    expected = [*LABELS[:-1], "maybe"] if name == "zooniverse" else LABELS
    drawn = sorted((label, crop.tobytes()) for label, crop in zip(expected, CROPS, strict=True))
    assert sorted((pit.label, crop.tobytes()) for pit, crop in zip(data.pits, data.crops(), strict=True)) == drawn
    if name == "paths":
        assert (data.pits[4].foil, data.pits[4].slide, data.pits[4].x, data.pits[4].further) == (
            "f7",
            "1",
            120.0,
            (("who", "seen"),),
        )
    if name == "zooniverse":
        assert data.pits[0].further == (("votes", "3"), ("vote_share", "1.000"))
        assert data.pits[-1].further == (("votes", "4"), ("vote_share", "0.500"))
        assert "1 subjects without 60% of their votes" in imported.notes[0]


def test_a_back_scan_is_turned_and_its_lights_reordered(tmp_path: Path) -> None:
    source = npz(tmp_path / "source")
    import_source(source, tmp_path / "data", ImportOptions(signal="sig", mirrored=True))
    data = load(tmp_path / "data")
    order = [light - 1 for light in (2, 1, 8, 7, 6, 5, 4, 3, 9, 10)]
    shown = {crop.tobytes() for crop in CROPS[:, order, :, ::-1]}
    assert {crop.tobytes() for crop in data.crops()} == shown


@given(st.permutations(QMUL_RIG[:8]), st.integers(0, 3))
def test_lights_in_any_order_are_reordered_by_their_azimuths(lights: list[Channel], extra: int) -> None:
    channels = [*lights, *QMUL_RIG[8:][:extra]]
    way = _mirror(channels)
    crop = np.arange(len(channels) * 9, dtype=np.uint8).reshape(-1, 3, 3)
    seen = turned(crop, way)
    for number, channel in enumerate(channels):
        source = channel
        if channel.azimuth_deg is not None:
            source = next(one for one in channels if one.azimuth_deg == (180 - channel.azimuth_deg) % 360)
        assert np.array_equal(seen[number], crop[channels.index(source), :, ::-1])
    assert np.array_equal(turned(seen, way), crop)  # turned twice is as it was


def test_lights_without_a_counterpart_cannot_be_mirrored(tmp_path: Path) -> None:
    (tmp_path / "rig").mkdir()
    azimuths = [10.0 + 30 * number for number in range(10)]
    entries = [f'[[channels]]\nname = "{n}"\nkind = "rotating"\nazimuth_deg = {a}\n' for n, a in enumerate(azimuths)]
    (tmp_path / "rig" / "foil.toml").write_text(
        'name = "r"\nsignal = "s"\ncrop = 12\npattern = "{pit}.tif"\n' + "".join(entries)
    )
    options = ImportOptions(signal="sig", lights=tmp_path / "rig", mirrored=True)
    with pytest.raises(ScanError, match="at 180 degrees less the azimuth of each"):
        import_source(zarr_stack(tmp_path / "source"), tmp_path / "data", options)
    assert not (tmp_path / "data").exists()


class Opened:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    np.savez(tmp_path / "evil" / "sig.npz", rim=np.array([Opened(tmp_path / "ran")], object))
    with pytest.raises(ScanError, match="NPZ without objects"):
        import_source(tmp_path / "evil", tmp_path / "data", SIGNAL)
    stack = tmp_path / "evil.zarr"
    stack.mkdir()
    described = {"zarr_format": 2, "shape": [1, 1, 12, 12], "chunks": [1, 1, 12, 12], "dtype": "|u1", "fill_value": 0}
    described |= {"order": "C", "compressor": None, "filters": [{"id": "pickle", "protocol": 5}]}
    (stack / ".zarray").write_text(json.dumps(described))
    (stack / "0.0.0.0").write_bytes(pickle.dumps(Opened(tmp_path / "ran")))
    (tmp_path / "labels.csv").write_text("label\nsig\n")
    with pytest.raises(ScanError, match=r"must be coded by .* but got 'pickle'"):
        import_source(stack, tmp_path / "data", SIGNAL)
    assert not (tmp_path / "ran").exists()


def test_an_archive_that_swells_or_is_locked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").mkdir()
    np.savez_compressed(tmp_path / "large" / "sig.npz", rim=np.zeros((2, 12, 12, 8), np.uint8))
    monkeypatch.setattr("scan.importing.tables.MOST_BYTES", 2000)
    with pytest.raises(ScanError, match=r"it may unpack to 2000 bytes at the most, and says 2432"):
        import_source(tmp_path / "large", tmp_path / "data", SIGNAL)
    monkeypatch.undo()
    content = bytearray((tmp_path / "large" / "sig.npz").read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # as of an archive with a password
        content[content.index(mark) + flags] |= 1
    (tmp_path / "large" / "sig.npz").write_bytes(content)
    with pytest.raises(ScanError, match=r"^[^\n]*a table must be readable NPZ [^\n]*$"):
        import_source(tmp_path / "large", tmp_path / "data", SIGNAL)


def test_an_archive_whose_header_is_no_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "damaged").mkdir()
    np.savez(tmp_path / "damaged" / "sig.npz", rim=np.zeros((2, 12, 12, 8), np.uint8))
    content = (tmp_path / "damaged" / "sig.npz").read_bytes()
    (tmp_path / "damaged" / "sig.npz").write_bytes(content.replace(b"'shape': ", b"'shape#: "))
    with pytest.raises(ScanError, match=r"^[^\n]*a table must be readable NPZ [^\n]*$"):
        import_source(tmp_path / "damaged", tmp_path / "data", SIGNAL)


def test_each_wrong_source_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    def table(name: str, **columns: object) -> Path:
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "sig.npz", **columns)  # type: ignore[arg-type]
        return tmp_path / name

    rim = CROPS[:6, :8].transpose(0, 2, 3, 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.npz").write_bytes(b"PK\3\4 and then nothing")
    (tmp_path / "no-path.csv").write_text("file,label\na.png,sig\n")
    (tmp_path / "gone.csv").write_text("path,label\ngone.png,sig\n")
    (tmp_path / "excel.csv").write_bytes("path;label;für\na.png;sig;\n".encode("cp1252"))
    (tmp_path / "listed" / "sig").mkdir(parents=True)
    (tmp_path / "listed" / "pits.csv").write_text("path,label\nsig/a.png,sig\n")
    (tmp_path / "pathless.csv").write_text("path,label\n,sig\n")
    (tmp_path / "unlabelled.csv").write_text("path,label\ngone.png,\n")
    (tmp_path / "short").mkdir()
    short = ome_tiff(tmp_path / "short" / "source")
    (short.parent / "labels.csv").write_text("label\nsig\n")
    (tmp_path / "cut.ome.tif").write_bytes(short.read_bytes()[:100])
    zoo = zooniverse(tmp_path / "zoo")
    zoo.write_text(zoo.read_text().replace("sig", "sig").replace('""T0""', "T0"))
    wrong: list[tuple[Path, ImportOptions, str]] = [
        (tmp_path / "nowhere", SIGNAL, "must exist, but does not"),
        (tmp_path / "empty", SIGNAL, "may be none; give --kind"),
        (tmp_path / "no-path.csv", SIGNAL, "must have the columns path and label, .* but has file, label; rename or add them"),
        (tmp_path / "excel.csv", SIGNAL, "must be readable UTF-8 CSV, .*; save it as CSV UTF-8"),
        (
            tmp_path / "listed",
            SIGNAL,
            "must be the table where one lists the images, .*give .*listed/pits.csv, or --kind",
        ),
        (tmp_path / "no-path.csv", ImportOptions("csv"), "`path` is missing"),
        (tmp_path / "no-path.csv", ImportOptions("folders"), "must be a folder, but is a file"),
        (tmp_path / "empty", ImportOptions("cvs"), "`--kind` must be one of tables, folders"),
        (tmp_path / "gone.csv", SIGNAL, "every image must be readable"),
        (tmp_path / "pathless.csv", SIGNAL, "pathless.csv:2: every row must have a path, but has none"),
        (tmp_path / "bad.npz", SIGNAL, "must be readable NPZ without objects"),
        (table("odd", rim=rim[..., :7]), SIGNAL, "images must be squares, y, x and behind them the lights of `rim`"),
        (table("lights-first", rim=CROPS[:6, :8]), SIGNAL, r"but got \{'rim': \[8, 12, 12\]\}"),
        (table("single", b=CROPS[:6, 8], label=np.array("sig")), SIGNAL, "'label' is one value"),
        (table("none", wing=rim), SIGNAL, "must have columns of images"),
        (table("unequal", rim=rim, b=rim[:3, ..., 0]), SIGNAL, "must be equally long"),
        (table("subtracted", rim=rim - 0.5), SIGNAL, "must be as the microscope stored them"),
        (table("words", rim=np.full((3, 12, 12, 8), "x")), SIGNAL, "must hold numbers"),
        (short, SIGNAL, "a row for each of the 13 crops, but got 1"),
        (tmp_path / "cut.ome.tif", SIGNAL, "must be readable OME-TIFF"),
        (zoo, SIGNAL, "`annotations` must be JSON, but row 1 is not"),
        (npz(tmp_path / "good"), ImportOptions(), r"`--signal` must be one of the labels \(bkg, sig\), .*; give --signal"),
    ]
    before = sorted(tmp_path.rglob("*"))
    for source, options, said in wrong:
        with pytest.raises(PitsearchError, match=said) as caught:
            import_source(source, tmp_path / "data", options)
        assert "\n" not in str(caught.value), said
        assert sorted(tmp_path.rglob("*")) == before, said
    with pytest.raises(DataError, match="this one exists"):
        import_source(tmp_path / "good", tmp_path / "empty", SIGNAL)


def test_images_in_windows_folders_are_read_and_named_by_their_folders_where_files_have_one_name(tmp_path: Path) -> None:
    rows = ["path;label"]
    for number, crop in enumerate(CROPS):
        file = tmp_path / "plate 1" / f"run {number % 2}" / f"pit {number // 2}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(crop[8]).save(file)
        rows.append(f"plate 1\\run {number % 2}\\pit {number // 2}.png;{'sig' if number % 2 else 'bkg'}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    data = import_source(tmp_path / "list.csv", tmp_path / "data", SIGNAL).data
    assert [pit.pit for pit in data.pits[:3]] == ["plate_1_run_0_pit_0", "plate_1_run_1_pit_0", "plate_1_run_0_pit_1"]
    np.testing.assert_array_equal(data.crops()[:, 0], CROPS[:, 8])


def test_kinds_are_guessed_where_they_are_plain(tmp_path: Path) -> None:
    both = folders(tmp_path / "both")
    np.savez(both / "sig.npz", rim=CROPS)
    with pytest.raises(ScanError, match="may be tables or folders"):
        guess(both)


@pytest.mark.parametrize(
    "text", ["path,label\na.png,sig\n", "path;label\na.png;sig\n", "sep=;\nlabel;path\n", "\tlabel\tpath\n"]
)
def test_a_list_of_paths_is_known_however_a_spreadsheet_wrote_it(text: str, tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "list.CSV").write_text(text, encoding=encoding)
        assert guess(tmp_path / "list.CSV") == "csv"
