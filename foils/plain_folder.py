"""Load a folder that holds nothing but images of pits, to be scored: no foil.toml, no labels.csv.

The files' names tell the pits: `{pit}_{channel}.png`, or `{pit}.tif` where a file holds every channel. Knows nothing of models:
whoever has one describes the images that it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from foils.dataset import Dataset, load_described
from foils.description import Description, broken_rule
from foils.errors import DataError
from foils.pit import Pit
from pitsearch.errors import reason
from pitsearch.toml_text import shown

TIFFS = (".tif", ".tiff")
SUFFIXES = (".png", ".tga", *TIFFS, ".bmp", ".jpg", ".jpeg")
# Of the images left out, these are named.
SHOWN = 5


def is_plain(folder: Path) -> bool:
    """Tell whether a folder has neither of the files that make it a data set."""
    return folder.is_dir() and not any((folder / name).exists() for name in ("foil.toml", "labels.csv"))


def load_plain(folder: Path, images: Description) -> Dataset:
    """Load a folder of images such as a description says; its name and its pattern are found in the folder.

    Raises DataError with every fault.
    """
    files = _list_images(folder)
    suffix = Path(files[0]).suffix
    stems = [file.removesuffix(suffix) for file in files]
    channels = [channel.name for channel in images.channels]
    pattern = "{pit}_{channel}" + suffix
    pits = _pits_by_channel(stems, channels)
    if not pits and (len(channels) == 1 or suffix.lower() in TIFFS):
        pits, pattern = stems, "{pit}" + suffix
    if not pits:
        endings = ", ".join(f"_{channel}{suffix}" for channel in channels[:3])
        raise DataError(
            f"{folder}: the names of images must end in their channel ({endings}{', ...' if len(channels) > 3 else ''}), but "
            f"got {shown(files[0])}; rename them, or write foil.toml and labels.csv."
        )
    notes = [] if "{channel}" not in pattern else _left_out(stems, pits, channels)
    faults = [
        f"{folder}: the name of a pit must be {rule}, but got {shown(pit)}; rename its files."
        for pit in pits
        if (rule := broken_rule(pit)) is not None
    ]
    if faults:
        raise DataError(faults)
    described = replace(images, name=folder.resolve().name, pattern=pattern)
    return load_described(folder, described, [Pit(pit, "", "", "") for pit in pits], notes=notes, labelled=False)


def _left_out(stems: Sequence[str], pits: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Name the images that are of no pit."""
    used = {f"{pit}_{channel}" for pit in pits for channel in channels}
    others = [stem for stem in stems if stem not in used]
    names = ", ".join(others[:SHOWN]) + (", ..." if len(others) > SHOWN else "")
    return [f"{len(others)} images whose names end in no channel are left out ({names})"] if others else []


def _list_images(folder: Path) -> list[str]:
    """List the names of a folder's images, which are of one suffix."""
    try:
        files = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise DataError(f"{folder}: the folder must be readable, but: {reason(error)}; check its permissions.") from None
    if not files:
        raise DataError(
            f"{folder}: a data set needs foil.toml and labels.csv, or images alone to be scored, but the folder has neither; "
            "check the path."
        )
    counts = Counter(Path(file).suffix for file in files)
    if len(counts) > 1:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common())
        raise DataError(f"{folder}: images without foil.toml must be of one suffix, but got {kinds}; move the others away.")
    return files


def _pits_by_channel(stems: Sequence[str], channels: Sequence[str]) -> list[str]:
    """Take the channel off the names that end in one."""
    longest_first = sorted(channels, key=len, reverse=True)
    pits: dict[str, None] = {}
    for stem in stems:
        ending = next((f"_{channel}" for channel in longest_first if stem.endswith(f"_{channel}")), None)
        if ending is not None:
            pits[stem.removesuffix(ending)] = None
    return list(pits)
