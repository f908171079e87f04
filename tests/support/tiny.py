"""Write tiny data sets: a few dozen pits of 12 x 12 pixels, easy to learn, every feature of the format on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

SIZE = 12
COUNTS = {"candidate": 20, "top": 20, "bottom": 20, "misc": 10, "maybe": 5}
# Four lights at right angles, then backlit and halo.
CHANNELS: tuple[tuple[str, str, float | None], ...] = (
    ("1", "rotating", 0.0),
    ("2", "rotating", 90.0),
    ("3", "rotating", 180.0),
    ("4", "rotating", 270.0),
    ("9", "backlit", None),
    ("10", "halo", None),
)


def draw_pits(
    labels: Sequence[str], channels: Sequence[tuple[str, str, float | None]], seed: int, size: int = SIZE
) -> npt.NDArray[np.float64]:
    """Draw pits `[pits, channels, y, x]` in 0-1: a slope towards the light for top, away from it for bottom, both plus a
    bright centre for candidate, noise alone for the others."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    blob = np.exp(-(x**2 + y**2) / 8)
    images = generator.normal(0.5, 0.05, (len(labels), len(channels), size, size))
    for image, label in zip(images, labels, strict=True):
        for channel, (_, _, azimuth) in zip(image, channels, strict=True):
            radians = np.deg2rad(azimuth or 0.0)
            slope = (x * np.cos(radians) - y * np.sin(radians)) * blob / 6 if azimuth is not None else 0 * blob
            sign = {"candidate": 1.0, "top": 1.0, "bottom": -1.0}.get(label, 0.0)
            channel += sign * slope + (0.35 * blob if label == "candidate" else 0.0)
    return np.clip(images, 0, 1)


def write_dataset(
    folder: Path,
    *,
    counts: Mapping[str, int] = COUNTS,
    channels: Sequence[tuple[str, str, float | None]] = CHANNELS,
    suffix: str = "png",
    bits: int = 8,
    frames: bool = False,
    paged: bool = False,
    slides: int = 4,
    listed: bool = True,
    seed: int = 0,
) -> Path:
    """Write a data-set folder: crops, or frames with the pits on a grid, in any format and bit depth."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    order = np.random.default_rng(seed).permutation(len(labels))
    labels = [labels[index] for index in order]
    values = draw_pits(labels, channels, seed)
    stored = (values * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    place = "frames/{foil}_s{slide}" if frames else "crops/{pit}"
    pattern = f"{place}.{suffix}" if paged else f"{place}_{{channel}}.{suffix}"
    (folder / ("frames" if frames else "crops")).mkdir(parents=True)
    _describe(folder, pattern, channels, list(counts) if listed else [])
    lines = ["pit,label,foil,slide,x,y,style"]
    grid = 8
    canvases: dict[int, npt.NDArray[np.uint8 | np.uint16]] = {}
    for number, label in enumerate(labels):
        slide = number % slides + 1
        row, column = divmod(number // slides, grid)
        x, y = (column + 1) * 2 * SIZE, (row + 1) * 2 * SIZE
        lines.append(f"p{number:03},{label},f1,{slide},{x},{y},new")
        if frames:
            edge = (grid + 1) * 2 * SIZE
            canvas = canvases.setdefault(slide, np.zeros((len(channels), edge, edge), stored.dtype))
            canvas[:, y - SIZE // 2 : y + SIZE // 2, x - SIZE // 2 : x + SIZE // 2] = stored[number]
        else:
            _save(folder, pattern, stored[number], channels, paged, pit=f"p{number:03}")
    for slide, canvas in canvases.items():
        _save(folder, pattern, canvas, channels, paged, foil="f1", slide=str(slide))
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _describe(folder: Path, pattern: str, channels: Sequence[tuple[str, str, float | None]], labels: list[str]) -> None:
    lines = ['name = "tiny"', 'signal = "candidate"', f'pattern = "{pattern}"', f"crop = {SIZE}"]
    if labels:
        lines.append(f"labels = {labels}".replace("'", '"'))
    for name, kind, azimuth in channels:
        lines += ["", "[[channels]]", f'name = "{name}"', f'kind = "{kind}"']
        lines += [f"azimuth_deg = {azimuth}"] if azimuth is not None else []
    (folder / "foil.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _save(
    folder: Path,
    pattern: str,
    pages: npt.NDArray[np.uint8 | np.uint16],
    channels: Sequence[tuple[str, str, float | None]],
    paged: bool,
    **names: str,
) -> None:
    if paged:
        tifffile.imwrite(folder / pattern.format(**names), pages, photometric="minisblack")
        return
    for (name, _, _), page in zip(channels, pages, strict=True):
        path = folder / pattern.format(channel=name, **names)
        if path.suffix == ".tif":
            tifffile.imwrite(path, page, photometric="minisblack")
        else:
            Image.fromarray(page).save(path)


def move_pits(folder: Path, places: dict[str, tuple[float, float]]) -> None:
    """Write other places into labels.csv."""
    rows = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()]
    for row in rows:
        if row[0] in places:
            row[4:6] = [str(value) for value in places[row[0]]]
    (folder / "labels.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
