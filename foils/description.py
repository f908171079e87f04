"""Read `foil.toml`: what the microscope gave and how its files are named.

Knows nothing of pits or pixels. Every fault is collected, none is raised on the way.
"""

from __future__ import annotations

import re
import string
import tomllib
from dataclasses import dataclass
from pathlib import Path

KINDS = ("rotating", "backlit", "halo")
PLACEHOLDERS = ("pit", "foil", "slide", "channel")
# Names become parts of file names, so they may not leave the folder.
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


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
    # The edge of a pixel, in micrometres.
    pixel_um: float | None = None

    @property
    def by_pit(self) -> bool:
        """Tell whether the files are crops (one pit each) and not frames (one slide each)."""
        return "{pit}" in self.pattern

    @property
    def paged(self) -> bool:
        """Tell whether a file holds every channel, as the pages of a TIFF."""
        return "{channel}" not in self.pattern

    def file(self, folder: Path, *, pit: str, foil: str, slide: str, channel: str) -> Path:
        """Name the image of one pit (or its slide) under one light."""
        return folder / self.pattern.format(pit=pit, foil=foil, slide=slide, channel=channel)


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
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        faults.append(f"foil.toml: a data set needs this file, but {folder} has none; see docs/data-format.md.")
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(f"foil.toml: the file must be readable TOML, but: {error}; correct it.")
        return None
    before = len(faults)
    reader = _Reader(text, faults)
    known = {"name", "signal", "pattern", "crop", "channels", "labels", "ignore", "pixel_um"}
    for key in sorted(set(table) - known):
        reader.fault(key, f"keys must be among {', '.join(sorted(known))}, but got `{key}`; correct or remove it.")
    for key in ("name", "signal", "pattern"):
        if not isinstance(table.get(key), str) or not table[key].strip():
            reader.fault(key, f"`{key}` must be a non-empty text, but got {table.get(key)!r}; set it.")
    crop = table.get("crop")
    if not isinstance(crop, int) or isinstance(crop, bool) or not 8 <= crop <= 1024:
        reader.fault("crop", f"`8 <= crop <= 1024` must hold (whole pixels), but got crop={crop!r}; set it.")
    pixel_um = table.get("pixel_um")
    if pixel_um is not None and (not isinstance(pixel_um, int | float) or not pixel_um > 0):
        reader.fault("pixel_um", f"`pixel_um > 0` must hold (micrometres), but got {pixel_um!r}; correct or remove it.")
    for key in ("labels", "ignore"):
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(label, str) and label for label in value):
            reader.fault(key, f"`{key}` must be a list of texts, but got {value!r}; correct it.")
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
    )


def _check_words(table: dict[str, object], reader: _Reader) -> None:
    """Check the name, the pattern's placeholders, and that the signal can be scored at all."""
    name, pattern, signal = table.get("name"), table.get("pattern"), table.get("signal")
    labels, ignore = table.get("labels"), table.get("ignore", ["maybe"])
    if isinstance(name, str) and name.strip() and not NAME.fullmatch(name):
        reader.fault("name", f"`name` must be letters, digits, '.', '_' or '-', but got {name!r}; rename the data set.")
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
        reader.fault("channels", "at least one [[channels]] entry must be there, but got none; add one for each light.")
        return ()
    channels: list[Channel] = []
    for number, entry in enumerate(entries):
        name, kind, azimuth = entry.get("name"), entry.get("kind"), entry.get("azimuth_deg")
        for key in sorted(set(entry) - {"name", "kind", "azimuth_deg"}):
            reader.fault(key, f"a channel's keys must be name, kind, azimuth_deg, but got `{key}`; remove it.", number)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            reader.fault("name", f"a channel's `name` must be letters, digits, '.', '_' or '-', but got {name!r}.", number)
            continue
        if name in [channel.name for channel in channels]:
            reader.fault("name", f"channel names must differ, but got {name!r} twice; rename one.", number)
        if kind not in KINDS:
            reader.fault("kind", f"`kind` must be one of {', '.join(KINDS)}, but got {kind!r}; correct it.", number)
            continue
        if kind == "rotating" and (not isinstance(azimuth, int | float) or not 0 <= azimuth < 360):
            reader.fault(
                "azimuth_deg",
                f"a rotating channel needs `0 <= azimuth_deg < 360`, but got {azimuth!r}; set the light's direction.",
                number,
            )
            continue
        if kind != "rotating" and azimuth is not None:
            reader.fault("azimuth_deg", f"a {kind} channel has no azimuth_deg, but got {azimuth!r}; remove it.", number)
        channels.append(Channel(name, str(kind), float(azimuth) if isinstance(azimuth, int | float) else None))
    return tuple(channels)
