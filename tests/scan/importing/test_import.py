"""Import: every kind is read back with the same pixels; mirrored lights are reordered; a wrong source leaves nothing."""

from __future__ import annotations

import csv
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foils import load
from foils.description import Channel
from foils.errors import DataError
from foils.open_image import Grey
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.errors import PitsearchError
from scan.errors import ScanError
from scan.importing.run import ImportOptions, _mirror, guess, import_source, turned
from tests.support.tiny import draw_pits

LABELS = ["sig"] * 6 + ["bkg"] * 7
CHANNELS = [(light.name, light.kind, light.azimuth_deg) for light in QMUL_RIG]
CROPS: Grey = (draw_pits(["candidate"] * 6 + ["top"] * 7, CHANNELS, 0) * 255).astype(np.uint8)
SIGNAL = ImportOptions(signal="sig")


def of_label(label: str) -> Grey:
    return CROPS[[index for index, one in enumerate(LABELS) if one == label]]


def npz(place: Path) -> Path:
    place.mkdir()
    for label in ("sig", "bkg"):
        crops = of_label(label).transpose(0, 2, 3, 1)
        np.savez(place / f"{label}.npz", rim=crops[..., :8], b=crops[..., 8], h=crops[..., 9])
    return place


def parquet(place: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    flat = [crop.transpose(1, 2, 0)[..., :8].ravel().tolist() for crop in CROPS / 255.0]  # as QMUL scales them
    rest = {name: [crop.ravel().tolist() for crop in CROPS[:, number]] for name, number in (("b", 8), ("h", 9))}
    place.mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"rim": flat, "label": LABELS, **rest}), place / "pits.parquet")
    return place / "pits.parquet"


def folders(place: Path) -> Path:
    for number, (label, crop) in enumerate(zip(LABELS, CROPS, strict=True)):
        (place / label).mkdir(parents=True, exist_ok=True)
        for light, image in zip(QMUL_RIG, crop, strict=True):
            Image.fromarray(image).save(place / label / f"p{number:02d}_{light.name}.png")
    return place


def paths(place: Path) -> Path:
    folders(place)
    rows = [f"{label}/p{n:02d}_{{channel}}.png,{label},f7,{n // 3},{30 * n},5,seen" for n, label in enumerate(LABELS)]
    (place / "pits.csv").write_text("\n".join(["path,label,foil,slide,x,y,who", *rows]) + "\n")
    return place / "pits.csv"


def zooniverse(place: Path) -> Path:
    place.mkdir()
    with (place / "classifications.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["classification_id", "user_name", "annotations", "subject_data", "subject_ids"])
        for number, (label, crop) in enumerate(zip(LABELS, CROPS, strict=True)):
            tifffile.imwrite(place / f"p{number:02d}.tif", crop, photometric="minisblack")
            facts = {str(100 + number): {"retired": None, "#Filename": f"p{number:02d}.tif", "#slide": str(number)}}
            other = "bkg" if label == "sig" else "sig"
            # Ann changes her mind, which does not count; of the last subject one of two says so.
            answers = [("ann", label), ("ann", other), ("bob", label), ("eve", other if number == 12 else label)]
            answers += [("joe", other)] * (number == 12)
            for who, answer in answers:
                writer.writerow([number, who, json.dumps([{"task": "T0", "value": answer}]), json.dumps(facts), 100 + number])
    return place / "classifications.csv"


def ome_tiff(place: Path) -> Path:
    place.mkdir()
    tifffile.imwrite(place / "stack.ome.tif", CROPS, photometric="minisblack", metadata={"axes": "TCYX"})
    (place / "labels.csv").write_text("label,slide\n" + "".join(f"{label},{n}\n" for n, label in enumerate(LABELS)))
    return place / "stack.ome.tif"


def zarr_stack(place: Path) -> Path:
    import zarr

    place.mkdir()
    array = zarr.create_array(place / "stack.zarr", shape=CROPS.shape, chunks=(4, 10, 12, 12), dtype="uint8")
    array[:] = CROPS
    (place / "labels.csv").write_text("label\n" + "".join(f"{label}\n" for label in LABELS))
    return place / "stack.zarr"


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
    (tmp_path / "unlabelled.csv").write_text("path,label\ngone.png,\n")
    (tmp_path / "short").mkdir()
    short = ome_tiff(tmp_path / "short" / "source")
    (short.parent / "labels.csv").write_text("label\nsig\n")
    (tmp_path / "cut.ome.tif").write_bytes(short.read_bytes()[:100])
    zoo = zooniverse(tmp_path / "zoo")
    zoo.write_text(zoo.read_text().replace("sig", "sig").replace('""T0""', "T0"))
    wrong: list[tuple[Path, ImportOptions, str]] = [
        (tmp_path / "nowhere", SIGNAL, "must be there, but is not"),
        (tmp_path / "empty", SIGNAL, "may be none; give --kind"),
        (tmp_path / "no-path.csv", SIGNAL, "may be none; give --kind"),
        (tmp_path / "no-path.csv", ImportOptions("csv"), "`path` is missing"),
        (tmp_path / "no-path.csv", ImportOptions("folders"), "must be a folder, but is a file"),
        (tmp_path / "empty", ImportOptions("cvs"), "`--kind` must be one of tables, folders"),
        (tmp_path / "gone.csv", SIGNAL, "every image must be readable"),
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
        (npz(tmp_path / "good"), ImportOptions(), r"`--signal` must be one of the labels \(bkg, sig\)"),
    ]
    before = sorted(tmp_path.rglob("*"))
    for source, options, said in wrong:
        with pytest.raises(PitsearchError, match=said) as caught:
            import_source(source, tmp_path / "data", options)
        assert "\n" not in str(caught.value), said
        assert sorted(tmp_path.rglob("*")) == before, said
    with pytest.raises(DataError, match="this one exists"):
        import_source(tmp_path / "good", tmp_path / "empty", SIGNAL)


def test_pits_at_a_border_are_left_out_and_counted(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    cells = [crop[8].ravel().tolist() for crop in CROPS]
    cells[12] = cells[12][:60]
    pyarrow.parquet.write_table(pyarrow.table({"b": cells, "label": LABELS}), tmp_path / "pits.parquet")
    imported = import_source(tmp_path / "pits.parquet", tmp_path / "data", SIGNAL)
    assert len(imported.data) == 12
    assert imported.notes == ("1 pits of pits.parquet left out: their images are not all 12 x 12, as at a frame's border",)


def test_a_dark_crop_is_read_as_the_others_of_its_column(tmp_path: Path) -> None:
    for name, full_scale in (("whole", 1), ("scaled", 255)):
        backlit = CROPS[:, 8].astype(np.float64)
        backlit[3], backlit[3, 5, 5] = 0, 1  # all its values are 0 or 1
        (tmp_path / name).mkdir()
        for label in ("sig", "bkg"):
            of = [index for index, one in enumerate(LABELS) if one == label]
            np.savez(tmp_path / name / f"{label}.npz", b=backlit[of] / full_scale)
        data = import_source(tmp_path / name, tmp_path / f"{name}-data", SIGNAL).data
        assert data.pixels.dtype == np.uint8
        assert sorted(int(crop.sum()) for crop in data.crops())[0] == 1
    # Of 16 bits, a dark crop is no crop of 8 bits.
    deep = CROPS[:, 8].astype(np.int64) * 200
    deep[3] = 7
    (tmp_path / "deep").mkdir()
    np.savez(tmp_path / "deep" / "pits.npz", b=deep, label=np.array(LABELS))
    data = import_source(tmp_path / "deep", tmp_path / "deep-data", SIGNAL).data
    assert np.array_equal(data.crops()[:, 0], deep)


def test_rows_of_unequal_length_are_left_out_and_names_are_made_of_files_names(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    cells = [crop[8].tolist() for crop in CROPS]
    cells[12][4] = cells[12][4][:5]
    pyarrow.parquet.write_table(pyarrow.table({"b": cells, "label": LABELS}), tmp_path / "my pits.parquet")
    data = import_source(tmp_path / "my pits.parquet", tmp_path / "data", SIGNAL).data
    assert [pit.pit for pit in data.pits] == [f"my_pits-{number:05d}" for number in range(12)]
    source = folders(tmp_path / "source")
    for file in [*source.glob("sig/*_1.png")]:
        file.rename(file.with_name(file.name.replace("p0", "pit 0")))
    for file in [*source.glob("sig/p0*")]:
        file.rename(file.with_name(file.name.replace("p0", "pit 0")))
    assert {pit.pit[:4] for pit in import_source(source, tmp_path / "named", SIGNAL).data.pits if pit.label == "sig"} == {
        "pit_"
    }


def test_an_image_of_ome_zarr_is_a_stack_of_its_times_or_its_planes(tmp_path: Path) -> None:
    import zarr

    (tmp_path / "labels.csv").write_text("label\n" + "".join(f"{label}\n" for label in LABELS))
    for name, values in (("times", CROPS[:, :, None]), ("planes", np.moveaxis(CROPS, 0, 1)[None])):
        zarr.create_group(str(tmp_path / f"{name}.zarr"), zarr_format=2).create_array("0", data=np.ascontiguousarray(values))
        data = import_source(tmp_path / f"{name}.zarr", tmp_path / name, SIGNAL).data
        assert np.array_equal(data.crops(), CROPS)


def test_a_classification_without_an_answer_is_left_out(tmp_path: Path) -> None:
    zoo = zooniverse(tmp_path / "zoo")
    rows = list(csv.reader(io.StringIO(zoo.read_text())))
    rows[1][2] = json.dumps([{"task": "T0", "value": None}])  # Ann's first: her second counts then
    with zoo.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    imported = import_source(zoo, tmp_path / "data", SIGNAL)
    assert imported.notes[0] == "1 classifications without an answer left out"
    assert imported.data.pits[0].further == (("votes", "3"), ("vote_share", "0.667"))
    with pytest.raises(ScanError, match="`0 < votes <= 1` must hold, but got nan"):
        import_source(zoo, tmp_path / "new", ImportOptions(signal="sig", votes=float("nan")))


def test_kinds_are_guessed_where_they_are_plain(tmp_path: Path) -> None:
    both = folders(tmp_path / "both")
    np.savez(both / "sig.npz", rim=CROPS)
    with pytest.raises(ScanError, match="may be tables or folders"):
        guess(both)
