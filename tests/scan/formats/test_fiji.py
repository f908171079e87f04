"""Regions for Fiji, read by the library read-roi."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import read_roi  # type: ignore[import-untyped]  # it publishes no types
from roifile import roiread

from scan.errors import ScanError
from scan.formats.fiji import write_fiji
from tests.support.formats import HITS, context


def test_read_roi_reads_the_boxes_of_each_frame(tmp_path: Path) -> None:
    write_fiji(HITS, tmp_path, context())
    assert sorted(path.name for path in (tmp_path / "fiji").iterdir()) == ["c1_s10_RoiSet.zip", "c1_s2_RoiSet.zip"]
    regions = read_roi.read_roi_zip(str(tmp_path / "fiji" / "c1_s2_RoiSet.zip"))
    assert list(regions) == ["a", "b"]
    assert regions["a"]["type"] == "rectangle"
    assert [regions["a"][key] for key in ("left", "top", "width", "height")] == [86, 37, 28, 28]


def test_regions_keep_scores_and_colours_and_lie_over_the_edge(tmp_path: Path) -> None:
    write_fiji(HITS, tmp_path, context())
    regions = roiread(tmp_path / "fiji" / "c1_s10_RoiSet.zip")
    assert isinstance(regions, list)
    (region,) = regions
    assert (region.left, region.top) == (-11, -10)
    assert region.stroke_color == bytes([255, 230, 159, 0])
    assert "p_signal: 0.750000\nclass: Signal, or so\n" in region.props


def test_the_same_hits_give_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        write_fiji(HITS, tmp_path / folder, context())
    one, other = ((tmp_path / folder / "fiji" / "c1_s2_RoiSet.zip").read_bytes() for folder in ("one", "other"))
    assert one == other


def test_what_the_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="within 60535 pixels of the frame's corner, but hit a lies at 70000"):
        write_fiji([replace(HITS[0], x=70_000.0)], tmp_path, context())
    with pytest.raises(ScanError, match="names that differ, but got 'a' twice"):
        write_fiji([HITS[0], HITS[0]], tmp_path, context())
