"""Lay a data set's pixels out as the images that a configuration's network sees, without copying them.

Lights, flips and turns, and the order in memory that the network likes are one lookup in the stored values. Values stay as
stored; `Normalise` scales them. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from foils.images import Grey
from spaces.augmentation import Turn, allowed_turns
from spaces.channels import MODES, Channels, Light, used_lights

# Images that go through a network together when they are scored.
SCORED_AT_ONCE = 256


@dataclass(frozen=True)
class Inputs:
    """The images of all pits.

    `stored`: `[rows, values]`, memory-mapped where the data set is, uint8 or the bits of uint16 as int16; `rows`: `[images]`,
    the row that each image lies in; `turns`: `[turns, channels * y * x]`, where each value of an image, turned in one of the
    allowed ways, stands in its row, as it is first; `per_pit`: images; `full_scale`: 255 or 65535; `flat`: the network is 2-D,
    and its channels lie together in memory.
    """

    stored: torch.Tensor
    rows: torch.Tensor
    turns: torch.Tensor
    channels: int
    size: int
    per_pit: int
    full_scale: int
    flat: bool

    @property
    def device(self) -> torch.device:
        """Where the images are, and a network that learns from them."""
        return self.stored.device

    def of_pits(self, pits: torch.Tensor) -> torch.Tensor:
        """Number the images of some pits, pit by pit."""
        return (pits[:, None] * self.per_pit + torch.arange(self.per_pit, device=pits.device)).flatten()

    def pick(self, images: torch.Tensor, turned: torch.Tensor | None = None) -> torch.Tensor:
        """Read images by number, `[images, channels, y, x]`; `turned`: `[images]`, the way each is turned."""
        # index_select copies whole rows; indexing with brackets goes value by value.
        places = self.turns[:1].expand(len(images), -1) if turned is None else self.turns.index_select(0, turned)
        picked = self.stored.index_select(0, self.rows[images]).gather(1, places)
        if self.full_scale > np.iinfo(np.uint8).max:
            picked = picked.int() & 0xFFFF
        if self.flat:
            return picked.view(-1, self.size, self.size, self.channels).permute(0, 3, 1, 2)
        return picked.view(-1, self.channels, self.size, self.size)

    def to(self, device: torch.device) -> Inputs:
        """Bring the images to a device, the used rows alone."""
        if device == self.device:
            return self
        return replace(
            self,
            stored=self.stored[self.rows].to(device),
            rows=torch.arange(len(self.rows), device=device),
            turns=self.turns.to(device),
        )


def lay_out(
    pixels: Grey,
    channels: Channels,
    lights: Sequence[Light],
    *,
    rows: npt.NDArray[np.int64] | None = None,
    augmentation: str = "none",
) -> Inputs:
    """Lay out pixels `[stored pits, lights, y, x]` for a use of the channels.

    `rows`: `[pits]`, where each pit is; all in order by default. Raises SpaceError where the data set lacks the lights or
    its azimuths allow no turn.
    """
    used = used_lights(channels, lights)
    mode = MODES[channels.mode]
    pits = torch.arange(len(pixels)) if rows is None else torch.from_numpy(rows)
    size = pixels.shape[-1]
    # torch's unsigned 16-bit type has few operations; the signed one holds the same bits.
    values = torch.from_numpy(pixels if pixels.dtype == np.uint8 else pixels.view(np.int16))
    # One light a row where one is all that a network sees; else a pit a row.
    alone = mode.apart or len(used) == 1
    in_row = [0] if alone else list(used)
    places = np.arange((1 if alone else len(lights)) * size * size).reshape(-1, size, size)[in_row]
    return Inputs(
        stored=values.view(-1, size * size) if alone else values.view(len(pixels), -1),
        rows=(pits[:, None] * len(lights) + torch.tensor(used)).flatten() if alone else pits,
        turns=_turn_table(allowed_turns(augmentation, channels, lights), places, mode.dims == 2),
        channels=len(places),
        size=size,
        per_pit=len(used) if mode.apart else 1,
        full_scale=int(np.iinfo(pixels.dtype).max),
        flat=mode.dims == 2,
    )


def _turn_table(turns: Sequence[tuple[Turn, tuple[int, ...]]], places: npt.NDArray[np.int64], flat: bool) -> torch.Tensor:
    """Tabulate every flip and turn of an image as one reordering of its row's values, `[turns, channels * y * x]`.

    `places`: `[channels, y, x]`, where each value of the image as it is stands in its row.
    """
    rows = []
    for turn, order in turns:
        moved = places[list(order[: len(places)])]
        moved = moved[..., ::-1] if turn.mirrored else moved
        moved = np.rot90(moved, turn.quarters, axes=(1, 2))
        rows.append((moved.transpose(1, 2, 0) if flat else moved).reshape(-1))
    return torch.from_numpy(np.stack(rows))
