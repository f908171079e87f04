"""A scan from end to end: hits are scored as pits are, each object once; what is finished is kept; damage is passed over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.spatial.distance import pdist

from foils.frames import Frame, cut_crops, find_frames, read_frame
from models import read_bundle
from models.inference.bundle import Bundle, write_bundle
from models.inference.bundle_schema import SourceData
from scan import Scan, ScanError, ScanOptions, read_hits, scan
from scan.detect import APART
from scan.expected import ExpectedOptions
from scan.record import FRAMES, FrameResult
from scan.run import Positions
from tests.support.bundles import ensemble
from tests.support.tiny import SIZE, write_dataset
from tests.support.toys import LIGHTS

NAMES = [light.name for light in LIGHTS]
# Untrained networks give every place some 0.5.
FEW = ScanOptions(least=0.62)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of tiny pits."""
    return write_dataset(tmp_path_factory.mktemp("frames") / "data", frames=True)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of untrained networks, whose threshold some places pass."""
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, Bundle(ensemble(), 0.64, 0.05, {}, SourceData("tiny", "candidate", 6.45)))
    return folder


@pytest.fixture(scope="module")
def found(bundle: Path, frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A scan of all frames, in a grid of two columns."""
    options = ScanOptions(least=0.62, positions=Positions(grid=2), formats=("heat", "qupath"))
    return scan(bundle, frames, tmp_path_factory.mktemp("scan") / "hits", options)


def text_of(folder: Path) -> str:
    """The hits of a scan."""
    return (folder / "hits.csv").read_text()


def test_hits_have_the_score_that_their_crops_have_as_pits(found: Scan, bundle: Path, frames: Path) -> None:
    model, by_slide = read_bundle(bundle), {frame.slide: frame for frame in find_frames(frames, NAMES)}
    assert found.is_dense and len(found.hits) > 20
    for hit in found.hits:
        crop = cut_crops(read_frame(by_slide[hit.slide], len(NAMES)), [(hit.x, hit.y)], SIZE)
        assert hit.p_signal == pytest.approx(float(model.score(crop)[0]), abs=1e-4)
        assert hit.accepted == (hit.p_signal >= found.threshold)


def test_hits_of_a_frame_lie_apart_and_are_where_the_grid_has_their_frame(found: Scan) -> None:
    for slide in {hit.slide for hit in found.hits}:
        there = [hit for hit in found.hits if hit.slide == slide]
        assert (pdist([(hit.x, hit.y) for hit in there]) > APART * SIZE).all()
        number = int(slide) - 1
        for hit in there:
            assert hit.x_um is not None and hit.x_foil is not None and hit.y_foil is not None
            edge = 9 * 2 * SIZE
            assert hit.x_foil == pytest.approx(hit.x + (number % 2) * edge - edge / 2)
            assert hit.y_foil == pytest.approx(hit.y + (number // 2) * edge - edge / 2)
            assert hit.x_um == pytest.approx(hit.x_foil * 6.45)


def test_the_tables_the_page_the_maps_and_the_summary_say_the_same(found: Scan) -> None:
    assert read_hits(found.folder / "hits.csv") == read_hits(found.folder / "hits.csv")
    assert [hit.hit for hit in read_hits(found.folder / "hits.parquet")] == [hit.hit for hit in found.hits]
    assert read_hits(found.folder / "hits.parquet") == list(found.hits)
    said = json.loads((found.folder / "scan.json").read_text())
    edge = 9 * 2 * SIZE
    assert (said["frames"], said["hits"], said["accepted"]) == (4, len(found.hits), found.accepted)
    assert said["area_cm2"] == pytest.approx(4 * (edge * 6.45e-4) ** 2, rel=0.05)
    assert found.hits[0].hit in (found.folder / "hits.html").read_text()
    heat = tifffile.imread(found.folder / "heat" / "f1_s1.tif")
    assert heat.shape == (2, (edge - SIZE) // 4 + 1, (edge - SIZE) // 4 + 1) and heat.dtype == np.float32
    assert len(list((found.folder / "qupath").iterdir())) == 4


class Killed(Exception):
    """The process is gone."""


def dying(after: int) -> Callable[[Callable[[Frame], FrameResult], Iterable[Frame]], Iterator[FrameResult]]:
    """Workers that are killed after some frames."""

    def workers(work: Callable[[Frame], FrameResult], items: Iterable[Frame]) -> Iterator[FrameResult]:
        for number, item in enumerate(items):
            if number == after:
                raise Killed
            yield work(item)

    return workers


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_a_killed_scan_goes_on_to_the_same_hits(cut: int, found: Scan, bundle: Path, frames: Path, tmp_path: Path) -> None:
    options, out = ScanOptions(least=0.62, positions=Positions(grid=2)), tmp_path / "hits"
    with pytest.raises(Killed):
        scan(bundle, frames, out, options, workers=dying(2))
    lines = (out / FRAMES).read_bytes()
    (out / FRAMES).write_bytes(lines[: len(lines) - cut])
    looked: list[str] = []

    def noting(work: Callable[[Frame], FrameResult], items: Iterable[Frame]) -> Iterator[FrameResult]:
        for item in items:
            looked.append(item.slide)
            yield work(item)

    scan(bundle, frames, out, options, workers=noting)
    assert looked == (["2", "3", "4"] if cut > 1 else ["3", "4"])
    assert text_of(out) == text_of(found.folder)


@pytest.mark.parametrize("meanwhile", [True, False], ids=["while it was looked at", "later"])
def test_a_frame_that_changed_is_looked_at_again(meanwhile: bool, bundle: Path, tmp_path: Path) -> None:
    data, out = write_dataset(tmp_path / "data", frames=True), tmp_path / "hits"

    def change() -> None:
        for path in (data / "frames").glob("f1_s2_*.png"):
            path.write_bytes(next((data / "frames").glob(path.name.replace("s2", "s3"))).read_bytes())

    def changing(work: Callable[[Frame], FrameResult], items: Iterable[Frame]) -> Iterator[FrameResult]:
        for item in items:
            result = work(item)
            if item.slide == "2":
                change()
            yield result

    scan(bundle, data, out, FEW, workers=changing if meanwhile else map)
    if not meanwhile:
        change()
    hits = scan(bundle, data, out, FEW).hits
    second, third = ([(hit.x, hit.y, hit.p_signal) for hit in hits if hit.slide == slide] for slide in "23")
    assert second == third


def test_a_damaged_frame_is_passed_over_and_named(bundle: Path, tmp_path: Path) -> None:
    data, out = write_dataset(tmp_path / "data", frames=True), tmp_path / "hits"
    whole = (data / "frames" / "f1_s2_1.png").read_bytes()
    (data / "frames" / "f1_s2_1.png").write_bytes(whole[:100])
    (data / "frames" / "f1_s3_9.png").unlink()
    partly = scan(bundle, data, out, FEW)
    assert [frame.slide for frame in partly.frames] == ["1", "4"]
    assert "f1:3 without 9" in partly.faults[0] and "f1_s2_1.png: every image must be readable" in partly.faults[1]
    (data / "frames" / "f1_s2_1.png").write_bytes(whole)
    assert [frame.slide for frame in scan(bundle, data, out, FEW).frames] == ["1", "2", "4"]


def test_another_scan_and_other_files_are_not_written_over(bundle: Path, frames: Path, tmp_path: Path) -> None:
    scan(bundle, frames, tmp_path / "hits", ScanOptions(least=0.6))
    with pytest.raises(ScanError, match=r"another least was used for what is there \(0.6, not 0.7\); choose another --out"):
        scan(bundle, frames, tmp_path / "hits", ScanOptions(least=0.7))
    with pytest.raises(ScanError, match="another heat was used"):
        scan(bundle, frames, tmp_path / "hits", ScanOptions(least=0.6, formats=("heat",)))
    with pytest.raises(ScanError, match="a scan goes into a new or empty folder"):
        scan(bundle, frames, tmp_path)


def test_overlapping_frames_give_an_object_once(bundle: Path, frames: Path, tmp_path: Path) -> None:
    """Four slides at one place, all with the same images, are one."""
    data = write_dataset(tmp_path / "data", frames=True)
    for path in (data / "frames").glob("f1_s1_*.png"):
        for slide in "234":
            (data / "frames" / path.name.replace("s1", f"s{slide}")).write_bytes(path.read_bytes())
    (tmp_path / "stage.json").write_text(json.dumps({str(slide): [1.0, 2.0] for slide in range(1, 5)}))
    apart = scan(bundle, data, tmp_path / "apart", FEW)
    once = scan(bundle, data, tmp_path / "once", ScanOptions(least=0.62, positions=Positions(stage=tmp_path / "stage.json")))
    assert len(apart.hits) == 4 * len(once.hits)
    assert apart.area_cm2 == pytest.approx(4 * (once.area_cm2 or 0.0), rel=0.05)


def test_clean_frames_tell_the_false_hits_and_the_threshold(bundle: Path, frames: Path, tmp_path: Path) -> None:
    options = ScanOptions(least=0.62, expected=ExpectedOptions(clean=frames, per_cm2=20.0))
    found = scan(bundle, frames, tmp_path / "hits", options)
    assert found.false_hits is not None and found.area_cm2 is not None
    assert found.false_hits.per_cm2 <= 20.0
    assert found.accepted / found.area_cm2 == pytest.approx(found.false_hits.per_cm2)
    assert all(hit.threshold == found.threshold for hit in found.hits)


def test_shrunk_frames_find_what_is_larger(bundle: Path, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", frames=True)
    found = scan(bundle, data, tmp_path / "hits", ScanOptions(least=0.62, scales=(1.0, 2.0)))
    assert {hit.scale for hit in found.hits} == {1.0, 2.0}
    with pytest.raises(ScanError, match=r"scale <= 64` must hold, but got 0; correct --scales"):
        scan(bundle, data, tmp_path / "other", ScanOptions(scales=(0.0,)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ScanOptions(formats=("qpath",)), "perhaps qupath was meant"),
        (ScanOptions(least=0.62, positions=Positions(stage=Path("s"), grid=2)), "leave one of --stage and --grid out"),
        (ScanOptions(positions=Positions(datum=Path("d"))), "add --stage FILE"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_read(
    options: ScanOptions, said: str, bundle: Path, frames: Path, tmp_path: Path
) -> None:
    with pytest.raises(ScanError, match=said):
        scan(bundle, frames, tmp_path / "hits", options)
    assert not (tmp_path / "hits").exists()
