"""Regions for QuPath, read by the library geojson."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geojson  # type: ignore[import-untyped]  # it publishes no types

from scan.formats.qupath import write_qupath
from tests.support.formats import HITS, context


def test_geojson_reads_a_valid_collection_for_each_frame(tmp_path: Path) -> None:
    write_qupath(HITS, tmp_path, context())
    assert sorted(path.name for path in (tmp_path / "qupath").iterdir()) == ["c1_s10.geojson", "c1_s2.geojson"]
    collection = geojson.loads((tmp_path / "qupath" / "c1_s2.geojson").read_text())
    assert isinstance(collection, geojson.FeatureCollection)
    assert collection.is_valid
    first, second = collection["features"]
    # 28 pixels around 100.25, 50.5: the corner of the crop that the model scores.
    assert first["geometry"]["coordinates"] == [[[86, 37], [114, 37], [114, 65], [86, 65], [86, 37]]]
    assert first["properties"]["classification"] == {"name": "signal", "color": [230, 159, 0]}
    assert first["properties"]["measurements"]["p_signal"] == 0.9
    assert second["properties"]["name"] == "b"
    assert second["properties"]["measurements"]["accepted"] == 0


def test_a_hit_of_a_shrunk_frame_has_a_larger_box(tmp_path: Path) -> None:
    write_qupath([replace(HITS[0], scale=2.0)], tmp_path, context())
    (feature,) = geojson.loads((tmp_path / "qupath" / "c1_s2.geojson").read_text())["features"]
    across = [x for x, _ in feature["geometry"]["coordinates"][0]]
    assert max(across) - min(across) == 56
