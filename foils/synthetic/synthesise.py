"""Synthetic foils: write a data-set folder of pits whose truth is known, to test and to teach with.

`synthesise` draws the pits of every label, spreads them over slides, photographs them under QMUL's ten lights and writes
`foil.toml`, `labels.csv` and 8-bit PNG crops or frames. Faults can be planted: wrong labels, blind lights, one telling
light, duplicates. Real foils vary in ways that this does not know: old etchings, stains, folds, two cameras.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from foils.description import Channel
from foils.errors import DataError
from foils.synthetic.lighting import QMUL_RIG, Camera, Optics, draw_exposure
from foils.synthetic.scene import FRAME_HEIGHT, FRAME_WIDTH, Looks, Pit, Slide, draw_pit, looks_at, photograph
from foils.synthetic.texture import Window, draw_clutter, white_plane
from pitsearch.errors import reason

LABELS = ("candidate", "top", "bottom", "misc", "maybe")
NEW_COUNTS: Mapping[str, int] = {"candidate": 259, "top": 199, "bottom": 811, "misc": 80, "maybe": 44}
SIGNAL = "candidate"
CROP = 28
FOIL = "s1"
CENTRING_ERROR = 1.6  # pixels along each axis: labels lie some 2 pixels from the pit's centre
EDGE = 24  # pixels that pits keep from the frame's edge, so that every crop lies on the frame


@dataclass(frozen=True, slots=True)
class SyntheticFoils:
    """Choose what `synthesise` writes."""

    # Pits of each label; `scaled_counts` gives those of smaller sets in the same shares.
    counts: Mapping[str, int] = field(default_factory=lambda: dict(NEW_COUNTS))
    # 0 clean, 1 buried in texture. It raises the strength of grain and clutter, fades the bottom face, and widens the overlap
    # of the classes (signal whose bottom cone is near threshold, stray cones behind top pits).
    difficulty: float = 0.5
    # Everything random comes from it; the same options give the same bytes.
    seed: int = 0
    # Write whole frames of 640 x 480 pixels instead of crops.
    frames: bool = False
    # Slides on which candidate and bottom are exchanged in `label`; `true_label` keeps the truth.
    flipped_slides: tuple[int, ...] = ()
    # The share of all pits whose `label` is replaced by another one at random (never maybe).
    flipped_share: float = 0.0
    # Channels that show only plastic, never a pit.
    blind_lights: tuple[str, ...] = ()
    # The only channel that shows the pits as they are; all others show a top pit whatever the label.
    telling_light: str | None = None
    # Pits written a second time, pixel by pixel, under another pit id, at the same place.
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one row of labels.csv: x, y are whole pixels of the frame, of the crop's middle (column 14, row 14)."""

    pit: str
    label: str
    foil: str
    slide: int
    x: int
    y: int
    style: str
    true_label: str


def scaled_counts(pits: int) -> dict[str, int]:
    """Return counts for about this many pits in the shares of the new labelling, at least 8 of every label."""
    if pits < 1:
        raise DataError(f"`pits >= 1` must hold, but got pits={pits}; choose e.g. 200.")
    total = sum(NEW_COUNTS.values())
    return {label: max(8, round(pits * number / total)) for label, number in NEW_COUNTS.items()}


def synthesise(folder: Path, options: SyntheticFoils) -> Path:
    """Write a data set of synthetic foils into a new or empty folder and return the folder.

    Raises DataError, before anything is written, where an option is out of range or the folder holds files or is not writable.
    """
    _check(options)
    plan = _plan(options)
    _check_slides(options, len(plan))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"the folder must be new or empty, but {folder} holds files; choose another or empty it.")
    looks, camera = looks_at(options.difficulty), Camera()
    images = folder / ("frames" if options.frames else "crops")
    try:
        images.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: the folder must be writable, but: {reason(error)}; choose another.") from None
    rows: list[Row] = []
    for number, members in enumerate(plan, start=1):
        slide, placed = _stage(options, number, members, looks, first_pit=len(rows) + 1)
        rows += placed
        windows = {row.pit: Window(row.x - CROP // 2, row.y - CROP // 2, CROP, CROP) for row in placed}
        if options.frames:
            windows = {f"{FOIL}_s{number}": Window(0, 0, FRAME_WIDTH, FRAME_HEIGHT)}
        for name, window in windows.items():
            greys = photograph(
                slide, window, QMUL_RIG, looks, camera, blind=options.blind_lights, telling=options.telling_light
            )
            _write_images(images, name, greys)
    rows += _duplicated(rows, options, images)
    _write_labels(folder / "labels.csv", _mislabelled(rows, options))
    _write_description(folder / "foil.toml", options)
    return folder


def _check(options: SyntheticFoils) -> None:
    """Refuse options that make no data set."""
    names = [light.name for light in QMUL_RIG]
    if not 0.0 <= options.difficulty <= 1.0:
        raise DataError(f"`0 <= difficulty <= 1` must hold, but got difficulty={options.difficulty}; choose e.g. 0.5.")
    if not 0.0 <= options.flipped_share <= 1.0:
        raise DataError(f"`0 <= flipped_share <= 1` must hold, but got flipped_share={options.flipped_share}; choose e.g. 0.1.")
    for label, number in options.counts.items():
        if label not in LABELS:
            raise DataError(f"labels must be among {', '.join(LABELS)}, but got {label!r}; rename or drop it.")
        if number < 0:
            raise DataError(f"`counts >= 0` must hold, but got {label}={number}; choose 0 to leave the label out.")
    if options.counts.get(SIGNAL, 0) < 1:
        raise DataError(f"`counts[{SIGNAL!r}] >= 1` must hold, but got {dict(options.counts)}; add some signal.")
    if options.seed < 0:
        raise DataError(f"`seed >= 0` must hold, but got seed={options.seed}; choose e.g. 0.")
    for name in (*options.blind_lights, *([] if options.telling_light is None else [options.telling_light])):
        if name not in names:
            raise DataError(f"lights must be among {', '.join(names)}, but got {name!r}; name one of the channels.")
    if options.telling_light in options.blind_lights:
        raise DataError(
            f"the telling light must not be blind, but got telling_light={options.telling_light!r} in "
            f"blind_lights={options.blind_lights}; choose another."
        )
    total = sum(options.counts.values())
    if not 0 <= options.duplicates <= total:
        raise DataError(
            f"`0 <= duplicates <= pits` must hold, but got duplicates={options.duplicates} of {total} pits; ask for fewer."
        )


def _check_slides(options: SyntheticFoils, slides: int) -> None:
    """Refuse to flip slides that the data set will not have."""
    for slide in options.flipped_slides:
        if not 1 <= slide <= slides:
            raise DataError(
                f"`1 <= slide <= {slides}` must hold for flipped_slides, but got {slide}; name slides that have pits."
            )


def _generator(options: SyntheticFoils, *key: int) -> np.random.Generator:
    """Return the generator of one part of the data set: parts do not disturb each other."""
    return np.random.default_rng(np.random.SeedSequence(options.seed, spawn_key=key))


def _plan(options: SyntheticFoils) -> list[list[tuple[str, int]]]:
    """Spread the pits over slides, about five each; a pit is its label and its number among that label's pits."""
    queue = [(label, n) for label in LABELS for n in range(options.counts.get(label, 0))]
    order = _generator(options, 0).permutation(len(queue))
    plan: list[list[tuple[str, int]]] = []
    placed = 0
    while placed < len(queue):
        number = 1 + int(_generator(options, 1, len(plan) + 1).poisson(4.0))
        plan.append([queue[k] for k in order[placed : placed + number]])
        placed += number
    return plan


def _stage(
    options: SyntheticFoils, number: int, members: list[tuple[str, int]], looks: Looks, *, first_pit: int
) -> tuple[Slide, list[Row]]:
    """Draw one slide and the rows of its pits. A pit's shape depends on seed, label and its number there, nothing else."""
    rng = _generator(options, 2, number)
    optics = Optics(bottom_contrast=looks.bottom_contrast)
    pits: list[Pit] = []
    decoys: list[Pit] = []
    rows: list[Row] = []
    for (x, y), (label, n) in zip(_places(rng, len(members)), members, strict=True):
        own = _generator(options, 3, LABELS.index(label), n)
        pits.append(draw_pit(own, label, x, y, looks, optics))
        decoys.append(draw_pit(own, "top", x, y, looks, optics))
        shown_x, shown_y = (round(float(middle + own.normal(0.0, CENTRING_ERROR))) for middle in (x, y))
        name = f"{FOIL}p{first_pit + len(rows):05d}"
        rows.append(Row(name, label, FOIL, number, shown_x, shown_y, "new", label))
    slide = Slide(
        pits=tuple(pits),
        decoys=tuple(decoys),
        top_clutter=draw_clutter(rng, FRAME_WIDTH, FRAME_HEIGHT, per_pixel=0.022, smallest=0.8),
        bottom_clutter=draw_clutter(rng, FRAME_WIDTH, FRAME_HEIGHT, per_pixel=0.004, smallest=1.5),
        plane=white_plane(rng, FRAME_WIDTH, FRAME_HEIGHT),
        exposure=draw_exposure(rng, QMUL_RIG, Camera()),
    )
    return slide, rows


def _places(rng: np.random.Generator, number: int) -> list[tuple[float, float]]:
    """Draw where the pits of a slide lie: anywhere, now and then beside the one before."""
    places: list[tuple[float, float]] = []
    for _ in range(number):
        x, y = rng.uniform(EDGE, FRAME_WIDTH - EDGE), rng.uniform(EDGE, FRAME_HEIGHT - EDGE)
        if places and rng.random() < 0.08:
            angle, distance = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(12.0, 22.0)
            x = float(np.clip(places[-1][0] + distance * np.cos(angle), EDGE, FRAME_WIDTH - EDGE))
            y = float(np.clip(places[-1][1] + distance * np.sin(angle), EDGE, FRAME_HEIGHT - EDGE))
        places.append((x, y))
    return places


def _duplicated(rows: list[Row], options: SyntheticFoils, images: Path) -> list[Row]:
    """Return rows for the planted duplicates, after copying their crops where there are crops."""
    chosen = _generator(options, 4).permutation(len(rows))[: options.duplicates]
    copies = [replace(rows[k], pit=f"{FOIL}d{n + 1:05d}") for n, k in enumerate(sorted(chosen))]
    if not options.frames:
        for copy, original in zip(copies, (rows[k] for k in sorted(chosen)), strict=True):
            for light in QMUL_RIG:
                source = images / f"{original.pit}_{light.name}.png"
                (images / f"{copy.pit}_{light.name}.png").write_bytes(source.read_bytes())
    return copies


def _mislabelled(rows: list[Row], options: SyntheticFoils) -> list[Row]:
    """Return the rows with the planted wrong labels; a pit and its duplicate keep one label."""
    exchange = {"candidate": "bottom", "bottom": "candidate"}
    places = sorted({(row.slide, row.x, row.y) for row in rows})
    rng = _generator(options, 5)
    victims = rng.permutation(len(places))[: round(options.flipped_share * len(places))]
    picks = {places[k]: int(rng.integers(1 << 30)) for k in victims}
    result = []
    for row in rows:
        label = exchange.get(row.label, row.label) if row.slide in options.flipped_slides else row.label
        place = (row.slide, row.x, row.y)
        if place in picks:
            others = [name for name in LABELS if name not in (label, row.true_label, "maybe")]
            label = others[picks[place] % len(others)]
        result.append(replace(row, label=label))
    return result


def _write_images(folder: Path, name: str, greys: NDArray[np.uint8]) -> None:
    """Write one PNG a channel; greys [channels, y, x]."""
    for light, image in zip(QMUL_RIG, greys, strict=True):
        Image.fromarray(image).save(folder / f"{name}_{light.name}.png", compress_level=4)


def _write_labels(path: Path, rows: list[Row]) -> None:
    """Write labels.csv."""
    columns = list(Row.__dataclass_fields__)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([getattr(row, column) for column in columns] for row in rows)


def _write_description(path: Path, options: SyntheticFoils) -> None:
    """Write foil.toml."""
    pattern = "frames/{foil}_s{slide}_{channel}.png" if options.frames else "crops/{pit}_{channel}.png"
    labels = ", ".join(f'"{label}"' for label in LABELS)
    lines = [
        f"# Synthetic foils: difficulty {options.difficulty}, seed {options.seed}.",
        'name = "synthetic"',
        f'signal = "{SIGNAL}"',
        f"labels = [{labels}]",
        'ignore = ["maybe"]',
        f"pixel_um = {Optics().pixel_um}",
        f"crop = {CROP}",
        f'pattern = "{pattern}"',
        *(line for light in QMUL_RIG for line in _channel_lines(light)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _channel_lines(light: Channel) -> list[str]:
    """Return one [[channels]] entry of foil.toml."""
    lines = ["", "[[channels]]", f'name = "{light.name}"', f'kind = "{light.kind}"']
    return lines if light.azimuth_deg is None else [*lines, f"azimuth_deg = {light.azimuth_deg}"]
