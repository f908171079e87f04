"""`foil.toml`: what it says comes through, and every fault is one line with its place, rule, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from foils.description import Channel, Description
from tests.support.descriptions import GOOD, read


def test_everything_the_file_says_comes_through(tmp_path: Path) -> None:
    description, faults = read(tmp_path, GOOD)
    assert faults == []
    assert description == Description(
        name="mine",
        signal="candidate",
        pattern="crops/{pit}_{channel}.png",
        crop=28,
        channels=(Channel("1", "rotating", 67.5), Channel("9", "backlit")),
        labels=("candidate", "top"),
        ignore=("top",),
        pixel_um=0.85,
    )


def test_what_may_be_left_out_has_defaults(tmp_path: Path) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(("labels", "ignore", "pixel_um"))]
    description, faults = read(tmp_path, "\n".join(lines))
    assert faults == []
    assert description is not None
    assert (description.labels, description.ignore, description.pixel_um) == ((), ("maybe",), None)


@pytest.mark.parametrize(
    ("key", "window", "stored", "pixel_um"),
    [("", 28, 28, 0.85), ("resize_from = 56", 56, 56, 1.7), ("cut_from = 40", 28, 40, 0.85)],
)
def test_a_crop_of_another_size_has_other_pixels(tmp_path: Path, key: str, window: int, stored: int, pixel_um: float) -> None:
    description, _ = read(tmp_path, GOOD.replace("pixel_um", f"{key}\npixel_um"))
    assert description is not None
    assert (description.crop, description.window, description.stored_crop) == (28, window, stored)
    assert description.pixel_um == 0.85
    assert description.crop_pixel_um == pytest.approx(pixel_um)


@pytest.mark.parametrize(
    ("pattern", "by_pit", "paged"),
    [
        ("crops/{pit}_{channel}.png", True, False),
        ("{foil}/{pit}.tif", True, True),
        ("{foil}_s{slide}_{channel}.tga", False, False),
        ("{slide}.tif", False, True),
    ],
)
def test_the_pattern_tells_crops_from_frames_and_pages_from_files(
    tmp_path: Path, pattern: str, by_pit: bool, paged: bool
) -> None:
    description, _ = read(tmp_path, GOOD.replace("crops/{pit}_{channel}.png", pattern))
    assert description is not None
    assert (description.by_pit, description.paged) == (by_pit, paged)
    named = pattern.replace("{pit}", "p1").replace("{foil}", "f").replace("{slide}", "3").replace("{channel}", "9")
    assert description.file(tmp_path, pit="p1", foil="f", slide="3", channel="9") == tmp_path / named


# What to replace in GOOD, by what, and the one line that says so.
BROKEN = {
    "no name": ('name = "mine"\n', "", "foil.toml:1: `name` must be a non-empty text, but got None; set it."),
    "name of spaces": ('"mine"', '"  "', "foil.toml:1: `name` must be a non-empty text, but got '  '; set it."),
    "name that is a path": (
        '"mine"',
        '"../mine"',
        "foil.toml:1: `name` must be letters, digits, '.', '_' or '-', but got '../mine'; rename the data set.",
    ),
    "signal no text": ('"candidate"\n', "3\n", "foil.toml:2: `signal` must be a non-empty text, but got 3; set it."),
    "signal not listed": (
        '["candidate", "top"]',
        '["bottom", "top"]',
        "foil.toml:2: `signal` must be one of `labels`, but got 'candidate'; add it or correct it.",
    ),
    "signal ignored": (
        '["top"]',
        '["candidate"]',
        "foil.toml:6: `ignore` must not hold the signal label, but got 'candidate' in it; remove it.",
    ),
    "labels no list": (
        '["candidate", "top"]',
        '"top"',
        "foil.toml:5: `labels` must be a list of texts, but got 'top'; correct it.",
    ),
    "an empty label": (
        'ignore = ["top"]',
        'ignore = [""]',
        "foil.toml:6: `ignore` must be a list of texts, but got ['']; correct it.",
    ),
    "crop too small": (
        "crop = 28",
        "crop = 7",
        "foil.toml:4: `8 <= crop <= 1024` must hold (whole pixels), but got crop=7; set it.",
    ),
    "crop no whole number": (
        "crop = 28",
        "crop = 28.0",
        "foil.toml:4: `8 <= crop <= 1024` must hold (whole pixels), but got crop=28.0; set it.",
    ),
    "pixel of no size": (
        "0.85",
        "0",
        "foil.toml:7: `pixel_um > 0` must hold (micrometres), but got 0; correct or remove it.",
    ),
    "unknown key": (
        "crop =",
        "corp =",
        "foil.toml:4: keys must be among bits, channels, crop, cut_from, ignore, labels, name, pattern, pixel_um, resize_from, "
        "signal, but got `corp`; correct or remove it.",
    ),
    "pattern out of the folder": (
        "crops/{pit}",
        "../crops/{pit}",
        "foil.toml:3: `pattern` must stay inside the folder, but got '../crops/{pit}_{channel}.png'; use a relative path.",
    ),
    "pattern out by a detour": (
        "crops/{pit}",
        "crops/../../{pit}",
        "foil.toml:3: `pattern` must stay inside the folder, but got 'crops/../../{pit}_{channel}.png'; use a relative path.",
    ),
    "pattern from the root": (
        "crops/{pit}",
        "/etc/{pit}",
        "foil.toml:3: `pattern` must stay inside the folder, but got '/etc/{pit}_{channel}.png'; use a relative path.",
    ),
    "pattern without pit and slide": (
        "crops/{pit}_",
        "crops/{foil}_",
        "foil.toml:3: `pattern` must hold {pit} (crops) or {slide} (frames), but got 'crops/{foil}_{channel}.png'; add it.",
    ),
    "pattern with another field": (
        "{pit}_",
        "{pit}_{light}",
        "foil.toml:3: `pattern` may hold {pit}, {foil}, {slide}, {channel}, but got {light} in "
        "'crops/{pit}_{light}{channel}.png'; correct it.",
    ),
    "pattern that reaches into a field": (
        "{pit}",
        "{pit.__class__}",
        "foil.toml:3: `pattern` may hold {pit}, {foil}, {slide}, {channel}, but got {pit.__class__} in "
        "'crops/{pit.__class__}_{channel}.png'; correct it.",
    ),
    "pattern with a format": (
        "{pit}",
        "{pit:>9}",
        "foil.toml:3: `pattern` may hold {pit}, {foil}, {slide}, {channel}, but got {pit:>9} in "
        "'crops/{pit:>9}_{channel}.png'; correct it.",
    ),
    "pattern with an open brace": (
        "{pit}_",
        "{pit_",
        "foil.toml:3: `pattern` must have matching braces, but got 'crops/{pit_{channel}.png' (unexpected '{' in field name); "
        "correct it.",
    ),
    "unknown kind": ("backlit", "uv", "foil.toml:16: `kind` must be one of rotating, backlit, halo, but got 'uv'; correct it."),
    "no kind": (
        'kind = "backlit"\n',
        "",
        "foil.toml:14: `kind` must be one of rotating, backlit, halo, but got None; correct it.",
    ),
    "rotating without azimuth": (
        "azimuth_deg = 67.5\n",
        "",
        "foil.toml:9: a rotating channel needs `0 <= azimuth_deg < 360`, but got None; set the light's direction.",
    ),
    "azimuth beyond the circle": (
        "67.5",
        "360",
        "foil.toml:12: a rotating channel needs `0 <= azimuth_deg < 360`, but got 360; set the light's direction.",
    ),
    "azimuth that is no number": (
        "67.5",
        "nan",
        "foil.toml:12: a rotating channel needs `0 <= azimuth_deg < 360`, but got nan; set the light's direction.",
    ),
    "backlit with azimuth": (
        '"backlit"',
        '"backlit"\nazimuth_deg = 5',
        "foil.toml:17: a backlit channel has no azimuth_deg, but got 5; remove it.",
    ),
    "one channel twice": ('"9"', '"1"', "foil.toml:15: channel names must differ, but got '1' twice; rename one."),
    "channel that is a path": (
        '"9"',
        '"../9"',
        "foil.toml:15: a channel's `name` must be letters, digits, '.', '_' or '-', but got '../9'.",
    ),
    "a pixel size of true": (
        "0.85",
        "true",
        "foil.toml:7: `pixel_um > 0` must hold (micrometres), but got True; correct or remove it.",
    ),
    "an endless pixel size": (
        "0.85",
        "inf",
        "foil.toml:7: `pixel_um > 0` must hold (micrometres), but got inf; correct or remove it.",
    ),
    "resized from what it is": (
        "crop = 28",
        "crop = 28\nresize_from = 28",
        "foil.toml:5: `resize_from` must differ from `crop`, but got 28 for both; remove it.",
    ),
    "resized from no whole number": (
        "crop = 28",
        "crop = 28\nresize_from = 56.0",
        "foil.toml:5: `8 <= resize_from <= 1024` must hold (whole pixels), but got resize_from=56.0; set it.",
    ),
    "cut from true": (
        "crop = 28",
        "crop = 28\ncut_from = true",
        "foil.toml:5: `8 <= cut_from <= 1024` must hold (whole pixels), but got cut_from=True; set it.",
    ),
    "cut from less": (
        "crop = 28",
        "crop = 28\ncut_from = 26",
        "foil.toml:5: `cut_from - crop` must be even and above 0 (so that the middle is kept), but got cut_from=26 and "
        "crop=28; change one of them.",
    ),
    "cut beside the middle": (
        "crop = 28",
        "crop = 28\ncut_from = 41",
        "foil.toml:5: `cut_from - crop` must be even and above 0 (so that the middle is kept), but got cut_from=41 and "
        "crop=28; change one of them.",
    ),
    "resized and cut": (
        "crop = 28",
        "crop = 28\nresize_from = 56\ncut_from = 40",
        "foil.toml:6: one of `resize_from` and `cut_from` may be there, but got both; remove one.",
    ),
    "frames cut to crops twice": (
        'pattern = "crops/{pit}_{channel}.png"\ncrop = 28',
        'pattern = "frames/{slide}_{channel}.png"\ncrop = 28\ncut_from = 40',
        "foil.toml:5: `cut_from` must stand with files of crops ({pit} in `pattern`), but got frames, of which `crop` pixels "
        "are cut anyway; remove it.",
    ),
    "bits of an 8-bit file": (
        "pixel_um = 0.85",
        "bits = 8",
        "foil.toml:7: `9 <= bits <= 16` must hold (of 16-bit files), but got 8; correct or remove it.",
    ),
    "bits of true": (
        "pixel_um = 0.85",
        "bits = true",
        "foil.toml:7: `9 <= bits <= 16` must hold (of 16-bit files), but got True; correct or remove it.",
    ),
    "labels that differ by case": (
        '["candidate", "top"]',
        '["candidate", "top", "Top"]',
        "foil.toml:5: `labels` must differ by more than case, but got 'top' and 'Top'; keep one.",
    ),
    "an azimuth of true": (
        "67.5",
        "true",
        "foil.toml:12: a rotating channel needs `0 <= azimuth_deg < 360`, but got True; set the light's direction.",
    ),
    "a name longer than files carry": (
        '"mine"',
        f'"{"m" * 300}"',
        f"foil.toml:1: `name` must be of 100 characters at the most, but got '{'m' * 75} ...; rename the data set.",
    ),
    "a channel's name longer than files carry": (
        'name = "9"',
        f'name = "{"m" * 300}"',
        f"foil.toml:15: a channel's `name` must be of 100 characters at the most, but got '{'m' * 75} ....",
    ),
    "channel with another key": (
        '"backlit"',
        '"backlit"\ncolour = 1',
        "foil.toml:17: a channel's keys must be name, kind, azimuth_deg, but got `colour`; remove it.",
    ),
}


@pytest.mark.parametrize(("old", "new", "line"), BROKEN.values(), ids=BROKEN)
def test_a_fault_is_one_line_with_place_rule_value_and_remedy(tmp_path: Path, old: str, new: str, line: str) -> None:
    assert old in GOOD
    description, faults = read(tmp_path, GOOD.replace(old, new, 1))
    assert description is None
    assert line in faults
    # A key misspelt is also a key that is missing; nothing else brings a second line.
    assert len(faults) == (2 if old == "crop =" else 1)


def test_a_file_without_channels_is_refused(tmp_path: Path) -> None:
    description, faults = read(tmp_path, GOOD[: GOOD.index("[[channels]]")])
    assert description is None
    assert faults == ["foil.toml:1: at least one [[channels]] entry is needed, but got none; add one for each light."]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('"mine"', "1").replace("28", "0").replace("67.5", "-1").replace("backlit", "uv").replace("crops/", "/")
    _, faults = read(tmp_path, text)
    assert [fault.split(": ")[0] for fault in faults] == [f"foil.toml:{line}" for line in (1, 4, 3, 12, 16)]
