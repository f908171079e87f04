"""From hits to new labels: the queue holds none twice, is read as a data set, and merges as a new style."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foils import Dataset, load
from foils.description import Channel
from foils.errors import DataError
from foils.frames import read_frame
from models.inference.bundle import Bundle
from models.inference.bundle_schema import SourceData
from scan.choosing import SIGNAL, UNCERTAIN, UNLIKE, apart, choose
from scan.errors import ScanError
from scan.hits import Hit, write_hits
from scan.merging import merge
from scan.queue import write_queue
from tests.support.bundles import ensemble
from tests.support.hits import hit
from tests.support.tiny import write_dataset

LIGHTS = (Channel("1", "rotating", 0.0), Channel("2", "rotating", 180.0))


def test_hits_are_taken_in_turns_from_three_lists() -> None:
    generator = np.random.default_rng(0)
    crops = generator.integers(97, 103, (30, 2, 12, 12)).astype(np.uint8)
    crops[::2, :, 4:8, 1:5] += 90
    crops[1::2, :, 4:8, 7:11] += 90
    crops[23] = generator.integers(97, 103, (2, 12, 12))
    crops[23, :, 9:, :] += 90  # unlike all others
    hits = [hit(number, p_signal=1 - number / 30, threshold=0.5, spread=0.1) for number in range(30)]
    choices = choose(hits, crops, LIGHTS, 6)
    assert [choice.why for choice in choices] == [SIGNAL, UNCERTAIN, UNLIKE] * 2
    assert [choice.index for choice in choices[:3]] == [0, 15, 23]
    assert choices[3].index == 1
    assert len({choice.index for choice in choices}) == 6


def test_of_two_hits_unlike_all_others_that_of_the_higher_score_is_chosen_and_none_like_it() -> None:
    generator = np.random.default_rng(0)
    crops = generator.integers(97, 103, (30, 2, 12, 12)).astype(np.uint8)
    crops[::2, :, 4:8, 1:5] += 90
    crops[1::2, :, 4:8, 7:11] += 90
    for rows, numbers in ((slice(5, 7), [20, 21, 22]), (slice(9, 12), [24])):
        crops[numbers] = generator.integers(97, 103, (len(numbers), 2, 12, 12))
        crops[numbers, :, rows] += 90
    hits = [hit(number, p_signal=1 - number / 30, threshold=0.5, spread=0.1) for number in range(30)]
    unlike = [choice.index for choice in choose(hits, crops, LIGHTS, 6) if choice.why == UNLIKE]
    assert unlike == [20, 24]  # 21 and 22 are as unlike what was seen, but not what was chosen


def test_none_is_chosen_twice_nor_what_was_seen() -> None:
    generator = np.random.default_rng(1)
    crops = generator.integers(0, 255, (12, 2, 12, 12)).astype(np.uint8)
    crops[1] = crops[0]  # photographed twice
    crops[3] = crops[2, ::-1, :, ::-1]  # mirrored, its lights exchanged
    hits = [hit(number) for number in range(12)]
    hits[5] = hit(5, x=hits[4].x + 3, y=hits[4].y)  # the same place
    seen = generator.integers(0, 255, (9, 2, 12, 12)).astype(np.uint8)
    seen[0] = crops[6]
    indices = {choice.index for choice in choose(hits, crops, LIGHTS, 12, seen)}
    assert len(indices & {0, 1}) == len(indices & {2, 3}) == len(indices & {4, 5}) == 1
    assert indices - {0, 1, 2, 3, 4, 5} == {7, 8, 9, 10, 11}
    assert choose([], crops[:0], LIGHTS, 5) == []
    assert len(choose(hits[:1], crops[:1], LIGHTS, 5)) == 1


def test_places_on_the_foil_tell_the_same_pit_on_two_frames() -> None:
    one, other = hit(0, x_foil=10.0, y_foil=10.0), hit(1, slide="2", x_foil=13.0, y_foil=14.0)
    assert apart(one, other) == 5
    assert apart(one, hit(1, slide="2")) == apart(one, hit(0, foil="f2")) == float("inf")


@pytest.fixture
def scanned(tmp_path: Path) -> tuple[Bundle, Dataset, Path, list[Hit]]:
    """A bundle, its data, and hits on frames of another foil."""
    data = load(write_dataset(tmp_path / "data", counts={"candidate": 8, "top": 8, "misc": 6}, listed=False))
    write_dataset(tmp_path / "other", frames=True, seed=7, counts={"candidate": 20, "top": 20}, slides=2)
    for frame in (tmp_path / "other" / "frames").iterdir():
        frame.rename(frame.with_name(frame.name.replace("f1_", "f2_")))
    labels = tmp_path / "other" / "labels.csv"
    labels.write_text(labels.read_text().replace(",f1,", ",f2,"))
    other = load(tmp_path / "other")
    hits = [hit(n, foil="f2", slide=pit.slide, x=pit.x, y=pit.y) for n, pit in enumerate(other.pits)]
    (tmp_path / "hits").mkdir()
    write_hits(hits, tmp_path / "hits" / "hits.csv")
    (tmp_path / "hits" / "scan.json").write_text(json.dumps({"frames_folder": str(tmp_path / "other")}))
    built = ensemble()
    lights = tuple(Channel(light.name, light.kind, light.azimuth_deg) for light in data.description.channels)
    object.__setattr__(built, "lights", lights)
    object.__setattr__(built, "size", data.description.crop)
    return Bundle(built, 0.5, 0.05, {}, SourceData("tiny", "candidate")), data, tmp_path / "hits" / "hits.csv", hits


def fill_in(queue: Path, label: dict[str, str]) -> None:
    with (queue / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (queue / "labels.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows({**row, "label": label.get(row["pit"], "")} for row in rows)


def test_a_queue_is_a_data_set_and_merges_as_a_new_style(
    scanned: tuple[Bundle, Dataset, Path, list[Hit]], tmp_path: Path
) -> None:
    bundle, data, hits_file, hits = scanned
    queue = tmp_path / "round-1"
    written = write_queue(bundle, hits_file, queue, 12, seen=data)
    loaded = load(queue, labelled=False)
    assert len(loaded) == sum(written.counts.values()) == 12
    assert set(written.counts) == {SIGNAL, UNCERTAIN, UNLIKE}
    assert (queue / "hits.html").stat().st_size > 10_000
    assert [name for name, _ in loaded.pits[0].further] == ["why", "p_signal", "spread"]
    other = load(tmp_path / "other")
    of_name = {one.hit: other.pixels[other.rows[n]] for n, one in enumerate(hits)}
    for pit, crop in zip(loaded.pits, loaded.crops(), strict=True):
        assert np.array_equal(crop, of_name[pit.pit])
    before = {path: path.read_bytes() for path in sorted((tmp_path / "data").rglob("*")) if path.is_file()}
    names = [pit.pit for pit in loaded.pits]
    fill_in(queue, dict(zip(names, ["candidate", "top", "misc", "misc"], strict=False)))
    merged = merge(tmp_path / "data", queue, tmp_path / "new")
    assert (len(merged.added), merged.unlabelled, merged.known) == (4, 8, ())
    new = load(tmp_path / "new")
    assert np.array_equal(new.crops()[: len(data)], data.crops())
    assert Counter(pit.style for pit in new.pits) == {"new": len(data), "round-1": 4}
    assert [(pit.pit, pit.label) for pit in new.pits[-4:]] == [*zip(names, ["candidate", "top", "misc", "misc"], strict=False)]
    assert before == {path: path.read_bytes() for path in sorted((tmp_path / "data").rglob("*")) if path.is_file()}
    # The same once more, with the labels of the page: what is known is left out, and what is new added.
    (tmp_path / "labels.csv").write_text(f"pit,label\n{names[0]},top\n{names[5]},misc\n")
    again = merge(tmp_path / "new", queue, tmp_path / "newer", style="second", labels=tmp_path / "labels.csv")
    assert [pit.pit for pit in again.added] == [names[5]]
    assert [(one.pit, one.label, there.label) for one, there in again.known][:1] == [(names[0], "top", "candidate")]


def test_what_does_not_go_together_is_refused_and_nothing_written(
    scanned: tuple[Bundle, Dataset, Path, list[Hit]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, data, hits_file, _ = scanned
    queue = tmp_path / "queue"
    (hits_file.parent / "scan.json").unlink()
    with pytest.raises(ScanError, match="give --frames"):
        write_queue(bundle, hits_file, queue, 5)
    with pytest.raises(DataError, match="rename them, or correct the path"):
        write_queue(bundle, hits_file, queue, 5, frames=hits_file.parent)
    frame = next((tmp_path / "other" / "frames").iterdir())
    whole = frame.read_bytes()

    def damaged(*of: Any) -> Any:  # as it is read for the page, after its crops were
        if frame in of[0].files:
            reads.append(frame)
        if len(reads) > 1:
            frame.write_bytes(whole[:50])
        return read_frame(*of)

    reads: list[Path] = []
    monkeypatch.setattr("scan.hit_crops.read_frame", damaged)
    with pytest.raises(DataError, match="every image must be readable"):
        write_queue(bundle, hits_file, queue, 40, frames=tmp_path / "other")
    monkeypatch.undo()
    frame.write_bytes(whole)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("queue")] == []
    write_queue(bundle, hits_file, queue, 5, frames=tmp_path / "other")
    with pytest.raises(DataError, match="this one exists"):
        write_queue(bundle, hits_file, queue, 5, frames=tmp_path / "other")
    with pytest.raises(ScanError, match="at least one pit must have a label, but got none of 5"):
        merge(data.folder, queue, tmp_path / "new")
    pit = load(queue, labelled=False).pits[0].pit
    fill_in(queue, {pit: "candidat"})
    with pytest.raises(DataError, match="must be one of candidate, maybe, misc, top, but got 'candidat'"):
        merge(data.folder, queue, tmp_path / "new")
    (tmp_path / "labels.csv").write_text("pit,label\nnobody,top\n")
    with pytest.raises(DataError, match="`pit` must be in the queue, but got 'nobody'"):
        merge(data.folder, queue, tmp_path / "new", labels=tmp_path / "labels.csv")
    assert not (tmp_path / "new").exists()
