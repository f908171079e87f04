"""A bundle is somebody's file: whatever stands in it, it is read as what export wrote, or refused on one line and at once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from models.errors import BundleError
from models.inference.bundle import Bundle, read_bundle, write_bundle
from models.inference.bundle_schema import HASH, MODEL, WEIGHTS, SourceData, seal
from tests.support.bundles import ensemble
from tests.support.toys import crops

ABOUT = {"fingerprint": "f" * 64, "held_out_pits": ["p1", "p2"], "searched_pits": 60, "plugins": [], "versions": {"torch": "2"}}
SOURCE = SourceData("tiny", "candidate", 0.5, ("1:2",))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    write_bundle(folder, Bundle(ensemble(), 0.25, 0.05, ABOUT, SOURCE))
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def values_of(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / MODEL).read_text())
    return values


def write(folder: Path, values: dict[str, Any], number: int) -> None:
    """Write a description of either format, with the right hash where it has one."""
    plain = {key: value for key, value in values.items() if key != HASH}
    (folder / MODEL).write_text(json.dumps(seal(plain) if number == 4 else {**plain, "format": number}))


def put(values: Any, place: str, value: object) -> None:
    *tables, name = place.split(".")
    for table in tables:
        values = values[int(table)] if isinstance(values, list) else values[table]
    values[name] = value


def refused(folder: Path) -> str:
    started = time.monotonic()
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    assert time.monotonic() - started < 60
    (line,) = str(caught.value).splitlines()
    assert line.startswith(str(folder))
    assert len(line) < 600
    return line


def test_data_and_hash_come_back(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert (bundle.source, dict(bundle.about)) == (SOURCE, ABOUT)
    assert len(values_of(folder)[HASH]) == 64


def test_the_hash_is_of_the_values_and_not_of_their_order(folder: Path) -> None:
    values = values_of(folder)
    (folder / MODEL).write_text(json.dumps(dict(reversed(values.items())), indent=7))
    assert read_bundle(folder).source == SOURCE


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("threshold", 0.5),
        ("temperature", 1.5),
        ("working_point", 0.5),
        ("full_scale", 65535),
        ("config.augmentation.shift", 1),
        ("channels.0.azimuth_deg", 90.0),
        ("about.held_out_pits", []),
        ("about.more", 1),
        ("source.pixel_um", 0.25),
        ("source.signal", "top"),
    ],
)
def test_every_value_is_under_the_hash(folder: Path, place: str, value: object) -> None:
    values = values_of(folder)
    put(values, place, value)
    (folder / MODEL).write_text(json.dumps(values))
    assert "must be as it was exported, but its hash differs" in refused(folder)


# Of either format, the last of which has the right hash: only bounds and types can refuse these.
OUTSIDE = [
    ("members", 0, "`members` must be from 1 to 1000, but got 0"),
    ("members", -1, "`members` must be from 1 to 1000, but got -1"),
    ("members", 1, "the weights must fit the configuration"),
    ("members", True, "`members` must be a whole number, but got True"),
    ("members", 1e30, "`members` must be a whole number"),
    ("threshold", 2, "`threshold` must be from 0 to 1, but got 2"),
    ("threshold", "0.5", "`threshold` must be a number"),
    ("threshold", None, "`threshold` must be a number"),
    ("temperature", -1, "`temperature` must be from 0.001 to 1000, but got -1"),
    ("temperature", 0, "`temperature` must be from 0.001 to 1000"),
    ("working_point", 0, "`working_point` must be from 1e-09 to 1"),
    ("classes", ["background", "signal"], "the classes must be those of the labelling scheme"),
    ("classes", "signal", "`classes` must be a list, but got 'signal'"),
    ("crop", 10**9, "`crop` must be from 8 to 1024"),
    ("crop", 10**400, "`crop` must be from 8 to 1024"),
    ("full_scale", 4096, "`full_scale` must be one of 255, 511,"),
    ("channels", [], "at least one channel"),
    ("channels", {"name": "1"}, "`channels` must be a list"),
    ("channels.0.kind", "laser", "must be one of rotating, backlit, halo"),
    ("channels.0.azimuth_deg", "north", "must be a number"),
    ("channels.0.azimuth_deg", None, "must give rotating lights an azimuth"),
    ("channels.0.name", "2", "each name once"),
    ("channels.0.name", "a\nb", "letters"),
    ("config", [], "`config` must be a table"),
    ("config.network.depth", 1e30, "`network.depth` must be a whole number"),
    ("config.network.depth", 10**30, "`1 <= network.depth <= 6` must hold"),
    ("config.network.width", 512, "the weights must fit the configuration"),
    ("config.network.kernel", 7, "the weights must fit the configuration"),
    ("config.labelling.own", [], "`labelling.own` must be a table"),
    ("config.labelling.own", {"a": 1}, "`labelling.own` must be a text"),
    ("config.labelling.own", {"a": "b"}, "must give one label the class"),
    ("config.channels.light", 7, "`channels.light` must be a text"),
    ("config.loss.focus", -1e300, "`0 <= loss.focus <= 5` must hold"),
    ("weights_sha256", "0" * 64, "must be those that were exported, but their hash differs"),
    ("weights_sha256", "", "64 hexadecimal digits"),
    ("about", [], "must be a table"),
    ("about", None, "must be a table"),
    ("about.held_out_pits", "p006", "`about.held_out_pits` must be a list, but got 'p006'"),
    ("about.held_out_pits", [1], "must be a text"),
    ("about.fingerprint", 7, "`about.fingerprint` must be a text"),
    ("about.plugins", [{"name": 1, "sha256": "a", "source": "b"}], "must be a text"),
    ("about.plugins", [{}], "must be there"),
    ("about.model_sha256", "0" * 64, "must be of these weights, temperature and threshold, but is not"),
    ("further", 1, "further"),
    ("source", {"name": "x", "signal": "y", "pixel_um": 0}, "`source.pixel_um` must be from 1e-09"),
]


@pytest.mark.parametrize("number", [3, 4])
@pytest.mark.parametrize(("place", "value", "message"), OUTSIDE)
def test_a_value_of_another_type_or_out_of_bounds_is_refused(
    folder: Path, place: str, value: object, message: str, number: int
) -> None:
    values = values_of(folder)
    put(values, place, value)
    write(folder, values, number)
    assert message in refused(folder)


@pytest.mark.parametrize("key", ["config", "classes", "channels", "crop", "members", "threshold", "weights_sha256", "about"])
def test_a_missing_value_is_refused(folder: Path, key: str) -> None:
    values = values_of(folder)
    del values[key]
    write(folder, values, 4)
    assert key in refused(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 4, "about": ' + "[" * 1000 + "]" * 1000 + "}", "deep"),
        ("[" * 100_000, "deep"),
        ('{"format": 4, "a": ' + "[" * 70 + "]" * 70 + "}", "nests more than 64 deep"),
        ('{"format": 4, "format": 4}', "'format' stands twice"),
        ('{"format": 4, "threshold": NaN}', "NaN is not"),
        ('{"format": 4, "threshold": ' + "9" * 5000 + "}", "must be what export wrote"),
        ('{"format": true}', "reads bundles of format 3 and 4, but got True"),
        ('{"format": [4]}', "reads bundles of format 3 and 4"),
        ("7", "it must be a table, but is a int"),
    ],
)
def test_text_that_is_no_description_is_refused(folder: Path, text: str, message: str) -> None:
    (folder / MODEL).write_text(text)
    assert message in refused(folder)


@pytest.mark.parametrize("name", [MODEL, WEIGHTS])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"\xff" * 40), "must"),
        (lambda path: path.write_bytes(b""), "must"),
    ],
)
def test_only_regular_files_are_read(folder: Path, name: str, make: Callable[[Path], object], message: str) -> None:
    (folder / name).unlink()
    make(folder / name)
    assert message in refused(folder)


def test_sizes_are_checked_before_bytes_are_read(folder: Path) -> None:
    with (folder / MODEL).open("ab") as stream:
        stream.truncate(2**40)  # a hole that takes no disk
    assert "at most 67108864 are read" in refused(folder)


def test_weights_that_are_not_finite_or_too_many_are_refused(folder: Path) -> None:
    tensors = load((folder / WEIGHTS).read_bytes())
    name = next(name for name, tensor in tensors.items() if tensor.is_floating_point())
    for change, message in (
        ({name: torch.full_like(tensors[name], torch.nan)}, "must hold finite numbers"),
        ({name: tensors[name].double()}, "must be torch.float32"),
        ({"0.more": torch.zeros(9)}, "'0.more' is not in both"),
        ({name: torch.zeros(1, 1, 1, 1)}, "must be torch.float32"),
    ):
        content = save({**tensors, **change})
        (folder / WEIGHTS).write_bytes(content)
        write(folder, {**values_of(folder), "weights_sha256": hashlib.sha256(content).hexdigest()}, 4)
        assert message in refused(folder)


def test_bundles_without_the_hash_are_read(folder: Path) -> None:
    values = values_of(folder)
    del values["source"]
    write(folder, values, 3)
    bundle = read_bundle(folder)
    assert bundle.source is None
    assert np.array_equal(bundle.ensemble.scores(crops(3)), ensemble().scores(crops(3)))


def test_an_unknown_key_about_the_origin_is_read(folder: Path) -> None:
    values = values_of(folder)
    put(values, "about.more", {"of": ["anything"]})
    write(folder, values, 4)
    assert read_bundle(folder).about["more"] == {"of": ["anything"]}
