"""Say where images were compressed with loss: a network learns what that leaves, too. Knows nothing of pixels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from foils.description import Description
from foils.pit import Pit
from foils.units import Unit


def lossy_notes(
    description: Description, pits: Sequence[Pit], units: Sequence[Unit], lossy: Collection[Path]
) -> tuple[str, ...]:
    """Say how many of a data set's files are lossy, and whether more of the signal's are than of the background's."""
    files = {path for unit in units for path in unit.files}
    if not lossy:
        return ()
    note = (
        f"{len(lossy)} of {len(files)} image files are JPEG, which is lossy: its blocks and rounding are learned too; export "
        "the originals as PNG or TIFF where they exist"
    )
    if len(lossy) == len(files):
        return (note,)
    note += ". A network can tell lossy files from the others"
    shares = {index: sum(path in lossy for path in unit.files) / len(unit.files) for unit in units for index in unit.pits}
    signal = [share for index, share in shares.items() if pits[index].label == description.signal]
    background = [
        share for index, share in shares.items() if pits[index].label not in (description.signal, "", *description.ignore)
    ]
    if signal and background:
        one, other = (f"{sum(of) / len(of):.0%}" for of in (signal, background))
        if one != other:
            note += f", and labels by them: {one} of the signal's files are JPEG, and {other} of the background's"
    return (note,)
