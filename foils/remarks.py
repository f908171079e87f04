"""Say what is odd but usable in a data set: for people, before anything is trained. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foils.description import Description
from foils.errors import DataError
from foils.groups import MOST_COMPARED, Groups
from foils.near_duplicates import Flags
from foils.open_image import Grey
from foils.pit import Pit

# The bits of cameras whose values come in 16-bit files.
CAMERA_BITS = (10, 12, 14)
# Pits are named, so many of them.
SHOWN = 5


def check_contrast(description: Description, groups: Groups) -> None:
    """Raise DataError where no crop shows anything."""
    if groups.constant.all():
        raise DataError(
            f"{description.name}: crops must show something, but all {len(groups.constant)} hold one value all over under "
            "every light; check the lights, the exposure, or x and y."
        )


def remarks(pits: Sequence[Pit], groups: Groups, pixels: Grey, description: Description) -> tuple[str, ...]:
    """Say which pits share plastic, which lights are dead or copied, which crops are blank, and which values use few bits."""
    return (*_shared(pits, groups), *_lookalikes(pits, groups), *_blank(pits, groups, description), *_bits(pixels, description))


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _shared(pits: Sequence[Pit], groups: Groups) -> list[str]:
    shared = np.isin(groups.numbers, np.flatnonzero(np.bincount(groups.numbers) > 1))
    if not shared.any():
        return []
    slides: dict[int, set[tuple[str, str]]] = {}
    labels: dict[int, set[str]] = {}
    for index in np.flatnonzero(shared).tolist():
        number = int(groups.numbers[index])
        slides.setdefault(number, set()).add((pits[index].foil, pits[index].slide))
        labels.setdefault(number, set()).add(pits[index].label)
    kinds = "identical or overlapping crops" + (", or such that look the same" if groups.look_alike else "")
    return [
        f"{int(shared.sum())} pits share plastic with another ({kinds}), in {len(slides)} "
        f"groups, {sum(len(names) > 1 for names in slides.values())} of them across slides, "
        f"{sum(len(names) > 1 for names in labels.values())} with different labels; each group stays in one fold"
    ]


def _lookalikes(pits: Sequence[Pit], groups: Groups) -> list[str]:
    if len(pits) > MOST_COMPARED:
        return [f"more than {MOST_COMPARED} pits: whether some look the same though they lie apart was not looked at"]
    if not groups.look_alike:
        return []
    names = [f"{pits[one].pit} and {pits[other].pit}" for one, other in groups.look_alike]
    return [
        f"{len(names)} pairs of pits look the same though they lie apart ({_named(names)}): frames that overlap, or a foil "
        "photographed twice? each pair stays in one fold"
    ]


def _blank(pits: Sequence[Pit], groups: Groups, description: Description) -> list[str]:
    """Name lights that are dead or copied, and crops of one value; these join no group."""
    notes = []
    lights = [channel.name for channel in description.channels]
    dead: Flags = np.all(groups.constant, axis=0)
    for number in np.flatnonzero(dead).tolist():
        notes.append(f"channel {lights[number]!r} holds one value in each crop: a light that was off, or saturated?")
    blank: Flags = np.all(groups.constant, axis=1)
    if blank.any():
        names = _named([pits[index].pit for index in np.flatnonzero(blank).tolist()])
        notes.append(f"{int(blank.sum())} crops hold one value all over, blank or saturated under every light ({names})")
    flat = groups.constant & ~dead[None, :] & ~blank[:, None]
    places = [f"{pits[index].pit} under {lights[number]}" for index, number in np.argwhere(flat).tolist()]
    if places:
        notes.append(f"{len(places)} images hold one value all over, blank or saturated ({_named(places)})")
    for one, other, count in groups.copied:
        share = "every crop" if count == int((~blank).sum()) else f"{count} of {len(pits)} crops"
        notes.append(f"channel {lights[other]!r} holds the same pixels as {lights[one]!r} in {share}: a copied file?")
    return notes


def _bits(pixels: Grey, description: Description) -> list[str]:
    if pixels.dtype != np.uint16 or description.bits is not None:
        return []
    largest = int(pixels.max())
    if largest <= np.iinfo(np.uint8).max:
        return ["16-bit files hold only values up to 255: written from 8-bit images without scaling?"]
    fewer = next((number for number in CAMERA_BITS if largest < 2**number), None)
    if fewer is None:
        return []
    return [
        f"16-bit files hold only values up to {2**fewer - 1} ({fewer} bits); `bits = {fewer}` in foil.toml makes that the full "
        "scale of noise and of unscaled values"
    ]
