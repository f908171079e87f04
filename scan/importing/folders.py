"""Read a folder with a folder of images for each class, as ImageFolder: `{label}/{pit}.png`, `{label}/{pit}_{channel}.png`.

A TIFF may hold every light of a pit as its pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foils.folder_writer import WrittenPit
from foils.frames import by_number
from foils.pit import Pit
from foils.plain_folder import SUFFIXES
from foils.synthetic.lighting import QMUL_RIG
from scan.errors import ScanError
from scan.importing.source import Imported, Source, lights_for, named, pages_of


def read_folders(source: Source) -> Imported:
    """Read the images of every class."""
    classes = sorted(folder for folder in source.path.iterdir() if folder.is_dir() and _images(folder))
    if not classes:
        raise ScanError(f"{source.path}: a folder of images is needed for each class, but there is none; correct the path.")
    names = [light.name for light in source.lights or QMUL_RIG]
    groups = {folder: _grouped(folder, names) for folder in classes}
    first = next(iter(next(iter(groups.values())).values()))
    count = len(first) if len(first) > 1 else len(pages_of(first[0]))
    return Imported(lights_for(count, source.lights, source.path), _pits(groups))


def _images(folder: Path) -> list[Path]:
    return sorted((file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES), key=lambda file: by_number(file.name))


def _grouped(folder: Path, names: list[str]) -> dict[str, list[Path]]:
    """Give the files of each pit: those whose names differ in their light alone, in the order of the lights."""
    files = _images(folder)
    by_light: dict[str, dict[str, Path]] = {}
    for file in files:
        pit, _, light = file.stem.rpartition("_")
        if not pit or light not in names:
            break
        by_light.setdefault(pit, {})[light] = file
    else:
        if max(map(len, by_light.values())) > 1:
            return {pit: [lights[name] for name in names if name in lights] for pit, lights in by_light.items()}
    return {file.stem: [file] for file in files}


def _pits(groups: dict[Path, dict[str, list[Path]]]) -> Iterator[WrittenPit]:
    """Read pit by pit; one name in two classes gets its class before it."""
    stems = [pit for group in groups.values() for pit in group]
    twice = {pit for pit in stems if stems.count(pit) > 1} if len(set(stems)) < len(stems) else set()
    for folder, group in groups.items():
        for pit, files in group.items():
            name = named(f"{folder.name}-{pit}" if pit in twice else pit)
            pages = [pages_of(file) for file in files]
            if len({page.shape[1:] for page in pages}) > 1:
                raise ScanError(f"{files[0]}: the images of a pit must agree in size, but differ; replace them.")
            yield WrittenPit(Pit(name, folder.name, "1", "1"), np.concatenate(pages))
