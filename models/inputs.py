"""Lay a data set's pixels out as the images that enter a configuration's network, without copying them.

Lights, flips and turns, and the order in memory that suits the network are one lookup in the stored values. Values stay
as stored; `Normalise` scales them. Only turns by 45 degrees need a copy: images are turned so once, beforehand, and the rest of
the turn is a lookup in the copy. Knows nothing of training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from foils.open_image import Grey
from spaces.choices.augmentation import Turn, allowed_turns
from spaces.choices.channels import MODES, Channels, Light, used_lights

# Images that go through a network together when they are scored.
SCORED_AT_ONCE = 256


@dataclass(frozen=True)
class Inputs:
    """The images of all pits."""

    # `[rows, values]`, memory-mapped where the data set is; uint8, or the bits of uint16 as int16.
    stored: torch.Tensor
    # `[images]`: the row of each image.
    rows: torch.Tensor
    # `[turns, channels * y * x]`: the place in its row of each value of an image, for each allowed turn, the unturned first.
    turns: torch.Tensor
    channels: int
    # Edge of an image in pixels.
    size: int
    # Images of one pit.
    per_pit: int
    # The largest value that a pixel can have: 255 or 65535, or what the camera's bits allow.
    full_scale: int
    # True where the network is 2-D and its channels lie together in memory.
    flat: bool
    # `[turns]`: how many rows after an image's own its values for each turn lie; None where all lie in its own.
    further: torch.Tensor | None = None

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
        rows = self.rows[images]
        if turned is not None and self.further is not None:
            rows = rows + self.further[turned]
        picked = _unsigned(self.stored.index_select(0, rows).gather(1, places))
        if self.flat:
            return picked.view(-1, self.size, self.size, self.channels).permute(0, 3, 1, 2)
        return picked.view(-1, self.channels, self.size, self.size)

    def to(self, device: torch.device) -> Inputs:
        """Bring the images to a device, the used rows alone."""
        if device == self.device:
            return self
        return replace(
            self,
            # Where a turned copy was made, used rows are all that there are.
            stored=(self.stored[self.rows] if self.further is None else self.stored).to(device),
            rows=torch.arange(len(self.rows), device=device),
            turns=self.turns.to(device),
            further=None if self.further is None else self.further.to(device),
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

    `rows`: `[pits]`, the row of each pit; all in order by default. Where images turn by 45 degrees, the used rows and as many
    turned ones are held in memory: 22 MB for 1,400 pits under 10 lights at 28 x 28 pixels of 8 bits. Raises SpaceError where
    the data set lacks the lights or its azimuths allow no turn.
    """
    used = used_lights(channels, lights)
    mode = MODES[channels.mode]
    pits = torch.arange(len(pixels)) if rows is None else torch.from_numpy(rows)
    size = pixels.shape[-1]
    # torch's unsigned 16-bit type has few operations; the signed one holds the same bits.
    values = torch.from_numpy(pixels if pixels.dtype == np.uint8 else pixels.view(np.int16))
    # One light a row where a network takes one alone; else a pit a row.
    alone = mode.apart or len(used) == 1
    in_row = [0] if alone else list(used)
    places = np.arange((1 if alone else len(lights)) * size * size).reshape(-1, size, size)[in_row]
    turns = allowed_turns(augmentation, channels, lights)
    stored = values.view(-1, size * size) if alone else values.view(len(pixels), -1)
    image_rows = (pits[:, None] * len(lights) + torch.tensor(used)).flatten() if alone else pits
    further = None
    if any(turn.diagonal for turn, _ in turns):
        straight = stored[image_rows]
        stored = torch.cat([straight, *(turn_by_45(part, size) for part in straight.split(SCORED_AT_ONCE))])
        image_rows = torch.arange(len(straight))
        further = torch.tensor([len(straight) if turn.diagonal else 0 for turn, _ in turns])
    return Inputs(
        stored=stored,
        rows=image_rows,
        turns=_turn_table(turns, places, mode.dims == 2),
        channels=len(places),
        size=size,
        per_pit=len(used) if mode.apart else 1,
        full_scale=int(np.iinfo(pixels.dtype).max),
        flat=mode.dims == 2,
        further=further,
    )


def turn_by_45(stored: torch.Tensor, size: int) -> torch.Tensor:
    """Turn the images in rows of stored values `[rows, lights * y * x]` counter-clockwise by 45 degrees, about their centres.

    Bilinear between pixels, rounded to whole values. What comes from beyond the crop is mirrored at its edge, so that the
    granular background goes on: repeated edges would be streaks that only turned images have.
    """
    images = _unsigned(stored).view(1, -1, size, size).float()
    half = math.sqrt(0.5)
    # Where each pixel's value comes from, x to the right and y down: the turned place, turned back.
    back = torch.tensor([[[half, -half, 0.0], [half, half, 0.0]]])
    places = functional.affine_grid(back, [1, 1, size, size], align_corners=True)
    turned = functional.grid_sample(images, places, mode="bilinear", padding_mode="reflection", align_corners=True)
    return turned.round().int().view_as(stored).to(stored.dtype)


def _unsigned(stored: torch.Tensor) -> torch.Tensor:
    """Read stored values as what they stand for: whole numbers from 0 to the full scale."""
    return stored if stored.dtype == torch.uint8 else stored.int() & 0xFFFF


def _turn_table(turns: Sequence[tuple[Turn, tuple[int, ...]]], places: npt.NDArray[np.int64], flat: bool) -> torch.Tensor:
    """Tabulate every flip and turn of an image as one reordering of its row's values, `[turns, channels * y * x]`.

    `places`: `[channels, y, x]`, where each value of the image as it is stands in its row. Of a diagonal turn, what is left to
    do to the image that was turned by 45 degrees.
    """
    rows = []
    for turn, order in turns:
        moved = places[list(order[: len(places)])]
        moved = moved[..., ::-1] if turn.mirrored else moved
        # In the copy the turn by 45 degrees comes before the mirror, which makes it one by -45: a quarter makes up for that.
        quarters = turn.quarters + (turn.mirrored and turn.diagonal)
        moved = np.rot90(moved, quarters, axes=(1, 2))
        rows.append((moved.transpose(1, 2, 0) if flat else moved).reshape(-1))
    return torch.from_numpy(np.stack(rows))
