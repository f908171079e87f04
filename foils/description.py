"""Read `foil.toml`: what the microscope gave and how its files are named.

Knows nothing of pits or pixels. Every fault is collected, none is raised on the way.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeGuard

from pitsearch.plain_word import broken_word
from pitsearch.toml_text import read_toml_text, shown

KINDS = ("rotating", "backlit", "halo")
PLACEHOLDERS = ("pit", "foil", "slide", "channel")
# Names become parts of file names, so they may not leave the folder.
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# Of a name: file systems carry names of 255, and a file's is made of several.
MOST_CHARACTERS = 100
# A light each; a microscope has ten.
MOST_CHANNELS = 1000
BITS = range(9, 17)
# The edge of a crop, as networks see it and as it is stored.
EDGES = range(8, 1025)


@dataclass(frozen=True)
class Channel:
    """One image of a pit or slide under one light."""

    name: str
    # rotating, backlit or halo.
    kind: str
    # Of a rotating light, counted counter-clockwise from the right-hand edge of the displayed image.
    azimuth_deg: float | None = None


@dataclass(frozen=True)
class Description:
    """What `foil.toml` says."""

    name: str
    signal: str
    pattern: str
    # The edge of a crop, in pixels.
    crop: int
    channels: tuple[Channel, ...]
    # The labels that are allowed; empty where the file lists none.
    labels: tuple[str, ...] = ()
    # Labels that are never scored.
    ignore: tuple[str, ...] = ("maybe",)
    # The edge of a pixel as it is stored, in micrometres.
    pixel_um: float | None = None
    # The bits of the camera, where 16-bit files hold values of fewer.
    bits: int | None = None
    # The edge that is resized to `crop`, in pixels as stored; None where nothing is resized.
    resize_from: int | None = None
    # The edge of stored crops whose middle is kept; None where all of a crop is.
    cut_from: int | None = None

    @property
    def by_pit(self) -> bool:
        """Tell whether the files are crops (one pit each) and not frames (one slide each)."""
        return "{pit}" in self.pattern

    @property
    def paged(self) -> bool:
        """Tell whether a file holds every channel, as the pages of a TIFF."""
        return "{channel}" not in self.pattern

    @property
    def window(self) -> int:
        """The edge of what a crop shows, in pixels as stored."""
        return self.resize_from or self.crop

    @property
    def stored_crop(self) -> int:
        """The edge of a crop's file, in pixels."""
        return self.cut_from or self.window

    @property
    def crop_pixel_um(self) -> float | None:
        """The edge of a pixel of the packed crops, in micrometres."""
        return None if self.pixel_um is None else self.pixel_um * self.window / self.crop

    def file(self, folder: Path, *, pit: str, foil: str, slide: str, channel: str) -> Path:
        """Name the image of one pit (or its slide) under one light."""
        return folder / self.pattern.format(pit=pit, foil=foil, slide=slide, channel=channel)


def broken_rule(text: object) -> str | None:
    """Give the rule that a name breaks, which is to be part of a file's name; None for a good one."""
    if not isinstance(text, str) or not NAME.fullmatch(text):
        return "letters, digits, '.', '_' or '-'"
    return f"of {MOST_CHARACTERS} characters at the most" if len(text) > MOST_CHARACTERS else None


def alike(labels: Iterable[str]) -> list[tuple[str, str]]:
    """Pair labels that differ by case alone."""
    first: dict[str, str] = {}
    pairs = [(first.setdefault(label.casefold(), label), label) for label in dict.fromkeys(labels)]
    return [(one, other) for one, other in pairs if one != other]


class _Reader:
    """Take typed values out of a parsed table and collect a fault, with its line, for each that is wrong."""

    def __init__(self, text: str, faults: list[str]) -> None:
        self.lines = text.splitlines()
        self.faults = faults

    def line(self, key: str, channel: int | None = None) -> int:
        """Find the line of a key, in the n-th [[channels]] entry if asked; the entry's own line if the key is absent."""
        entries = [n for n, text in enumerate(self.lines) if re.match(r"\s*\[\[\s*channels\s*\]\]", text)]
        start, stop = 0, entries[0] if entries else len(self.lines)
        if channel is not None and channel < len(entries):
            start = entries[channel]
            stop = entries[channel + 1] if channel + 1 < len(entries) else len(self.lines)
        for number in range(start, stop):
            if re.match(rf"\s*{re.escape(key)}\s*=", self.lines[number]):
                return number + 1
        return start + 1

    def fault(self, key: str, text: str, channel: int | None = None) -> None:
        self.faults.append(f"foil.toml:{self.line(key, channel)}: {text}")


def read_description(folder: Path, faults: list[str]) -> Description | None:
    """Read `foil.toml` of a data-set folder; None, with faults added, where it cannot be used."""
    path = folder / "foil.toml"
    try:
        file = read_toml_text(path)
    except FileNotFoundError:
        faults.append(f"foil.toml: a data set needs this file, but {folder} has none; see docs/data-format.md.")
        return None
    except (OSError, ValueError) as error:
        faults.append(f"foil.toml: the file must be readable TOML, but: {error}; correct it.")
        return None
    before = len(faults)
    table = file.table
    reader = _Reader(file.text, faults)
    known = {field.name for field in fields(Description)}
    for key in sorted(set(table) - known):
        reader.fault(
            key, f"keys must be among {', '.join(sorted(known))}, but got `{key[:MOST_CHARACTERS]}`; correct or remove it."
        )
    for key in ("name", "signal", "pattern"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            reader.fault(key, f"`{key}` must be a non-empty text, but got {shown(table.get(key))}; set it.")
    _check_edges(table, reader)
    pixel_um = table.get("pixel_um")
    if pixel_um is not None and not (_is_number(pixel_um) and 0 < pixel_um < math.inf):
        reader.fault("pixel_um", f"`pixel_um > 0` must hold (micrometres), but got {shown(pixel_um)}; correct or remove it.")
    bits = table.get("bits")
    if bits is not None and (isinstance(bits, bool) or bits not in BITS):
        reader.fault("bits", f"`9 <= bits <= 16` must hold (of 16-bit files), but got {shown(bits)}; correct or remove it.")
    for key in ("labels", "ignore"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(label, str) and label for label in value):
            reader.fault(key, f"`{key}` must be a list of texts, but got {shown(value)}; correct it.")
        for label in value if isinstance(value, list) else ():
            if isinstance(label, str) and (rule := broken_word(label)):
                reader.fault(key, f"`{key}` must hold labels that are {rule}, but got {shown(label)}; rename it.")
    _check_words(table, reader)
    channels = _read_channels(table.get("channels"), reader)
    if len(faults) > before:
        return None
    return Description(
        name=table["name"],
        signal=table["signal"],
        pattern=table["pattern"],
        crop=table["crop"],
        channels=channels,
        labels=tuple(table.get("labels", ())),
        ignore=tuple(table.get("ignore", ("maybe",))),
        pixel_um=None if pixel_um is None else float(pixel_um),
        bits=bits,
        resize_from=table.get("resize_from"),
        cut_from=table.get("cut_from"),
    )


def _check_edges(table: dict[str, object], reader: _Reader) -> None:
    """Check the edge of a crop, and that of stored ones, which are resized or cut to it."""
    wrong = []
    for key in ("crop", "resize_from", "cut_from"):
        edge = table.get(key)
        if key in ("crop", *table) and (not isinstance(edge, int) or isinstance(edge, bool) or edge not in EDGES):
            text = f"`{EDGES[0]} <= {key} <= {EDGES[-1]}` must hold (whole pixels), but got {key}={shown(edge)}; set it."
            reader.fault(key, text)
            wrong.append(key)
    crop, resized, cut, pattern = (table.get(key) for key in ("crop", "resize_from", "cut_from", "pattern"))
    if "resize_from" in table and "cut_from" in table:
        reader.fault("cut_from", "one of `resize_from` and `cut_from` may be there, but got both; remove one.")
    if wrong or not isinstance(crop, int):
        return
    if resized == crop:
        reader.fault("resize_from", f"`resize_from` must differ from `crop`, but got {crop} for both; remove it.")
    if isinstance(cut, int) and (cut <= crop or (cut - crop) % 2):
        rule = "`cut_from - crop` must be even and above 0 (so that the middle is kept)"
        reader.fault("cut_from", f"{rule}, but got cut_from={cut} and crop={crop}; change one of them.")
    if "cut_from" in table and isinstance(pattern, str) and "{pit}" not in pattern:
        rule = "`cut_from` must stand with files of crops ({pit} in `pattern`), but got frames"
        reader.fault("cut_from", f"{rule}, of which `crop` pixels are cut anyway; remove it.")


def _is_number(value: object) -> TypeGuard[int | float]:
    """Tell numbers from all else; TOML's true and false are numbers to Python alone."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_words(table: dict[str, object], reader: _Reader) -> None:
    """Check the name, the pattern's placeholders, and that the signal can be scored at all."""
    name, pattern, signal = table.get("name"), table.get("pattern"), table.get("signal")
    labels, ignore = table.get("labels"), table.get("ignore", ["maybe"])
    if isinstance(name, str) and name.strip() and (rule := broken_rule(name)):
        reader.fault("name", f"`name` must be {rule}, but got {shown(name)}; rename the data set.")
    if isinstance(signal, str) and (rule := broken_word(signal)):
        reader.fault("signal", f"`signal` must be {rule}, but got {shown(signal)}; rename the label.")
    if isinstance(labels, list):
        for first, second in alike(label for label in labels if isinstance(label, str)):
            reader.fault("labels", f"`labels` must differ by more than case, but got {first!r} and {second!r}; keep one.")
    if isinstance(labels, list) and labels and isinstance(signal, str) and signal not in labels:
        reader.fault("signal", f"`signal` must be one of `labels`, but got {signal!r}; add it or correct it.")
    if isinstance(ignore, list) and signal in ignore:
        reader.fault("ignore", f"`ignore` must not hold the signal label, but got {signal!r} in it; remove it.")
    if not isinstance(pattern, str) or not pattern:
        return
    try:
        parsed = list(string.Formatter().parse(pattern))
    except ValueError as error:
        reader.fault("pattern", f"`pattern` must have matching braces, but got {pattern!r} ({error}); correct it.")
        return
    fields = [
        field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, field, spec, conversion in parsed
        if field is not None
    ]
    unknown = [field for field in fields if field not in PLACEHOLDERS]
    if unknown:
        allowed = ", ".join("{" + field + "}" for field in PLACEHOLDERS)
        reader.fault("pattern", f"`pattern` may hold {allowed}, but got {{{unknown[0]}}} in {pattern!r}; correct it.")
    elif "pit" not in fields and "slide" not in fields:
        reader.fault("pattern", f"`pattern` must hold {{pit}} (crops) or {{slide}} (frames), but got {pattern!r}; add it.")
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        reader.fault("pattern", f"`pattern` must stay inside the folder, but got {pattern!r}; use a relative path.")


def _read_channels(entries: object, reader: _Reader) -> tuple[Channel, ...]:
    """Read the [[channels]] entries: distinct names, a known kind, an azimuth exactly when rotating."""
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        reader.fault("channels", "at least one [[channels]] entry is needed, but got none; add one for each light.")
        return ()
    if len(entries) > MOST_CHANNELS:
        reader.fault(
            "name", f"at most {MOST_CHANNELS} [[channels]] entries may be there, but got {len(entries)}; remove some.", 0
        )
        return ()
    channels: list[Channel] = []
    for number, entry in enumerate(entries):
        name, kind, azimuth = entry.get("name"), entry.get("kind"), entry.get("azimuth_deg")
        for key in sorted(set(entry) - {"name", "kind", "azimuth_deg"}):
            reader.fault(
                key, f"a channel's keys must be name, kind, azimuth_deg, but got `{key[:MOST_CHARACTERS]}`; remove it.", number
            )
        if rule := broken_rule(name):
            reader.fault("name", f"a channel's `name` must be {rule}, but got {shown(name)}.", number)
            continue
        if name in [channel.name for channel in channels]:
            reader.fault("name", f"channel names must differ, but got {name!r} twice; rename one.", number)
        if kind not in KINDS:
            reader.fault("kind", f"`kind` must be one of {', '.join(KINDS)}, but got {shown(kind)}; correct it.", number)
            continue
        if kind == "rotating" and (not _is_number(azimuth) or not 0 <= azimuth < 360):
            reader.fault(
                "azimuth_deg",
                f"a rotating channel needs `0 <= azimuth_deg < 360`, but got {shown(azimuth)}; set the light's direction.",
                number,
            )
            continue
        if kind != "rotating" and azimuth is not None:
            reader.fault("azimuth_deg", f"a {kind} channel has no azimuth_deg, but got {shown(azimuth)}; remove it.", number)
        channels.append(Channel(name, str(kind), float(azimuth) if _is_number(azimuth) else None))
    return tuple(channels)
