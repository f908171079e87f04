"""Lay a data set's crops out as the images that a configuration's network sees.

Knows nothing of training. Values stay as stored; `Normalise` scales them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from foils.images import Grey
from spaces.augmentation import allowed_turns
from spaces.channels import MODES, Channels, Light, used_lights

# Images that go through a network together when they are scored.
SCORED_AT_ONCE = 256


@dataclass(frozen=True)
class Inputs:
    """`images`: `[pits * per_pit, channels, y, x]`, uint8, or float32 holding 16-bit values; `full_scale`: 255 or 65535."""

    images: torch.Tensor
    per_pit: int
    full_scale: int

    @property
    def channels(self) -> int:
        return self.images.shape[1]

    @property
    def size(self) -> int:
        return self.images.shape[2]

    def of_pits(self, pits: torch.Tensor) -> torch.Tensor:
        """Number the images of some pits, pit by pit."""
        return (pits[:, None] * self.per_pit + torch.arange(self.per_pit)).flatten()


def lay_out(crops: Grey, channels: Channels, lights: Sequence[Light]) -> Inputs:
    """Lay out crops `[pits, channels, y, x]` for a use of the channels.

    Raises SpaceError where the data set lacks the lights.
    """
    used = crops[:, used_lights(channels, lights)]
    # torch's 16-bit unsigned type has few operations; float32 holds every 16-bit value exactly.
    images = torch.from_numpy(used if used.dtype == np.uint8 else used.astype(np.float32))
    per_pit = 1
    if MODES[channels.mode].apart:
        per_pit = images.shape[1]
        images = images.flatten(0, 1).unsqueeze(1)
    return Inputs(images.contiguous(), per_pit, int(np.iinfo(crops.dtype).max))


def turn_table(augmentation: str, channels: Channels, lights: Sequence[Light], size: int) -> torch.Tensor:
    """Tabulate every flip and turn of an image as one reordering of its values, `[turns, channels * y * x]`.

    Row t lists, for each value of the turned image, where it stood before: lights and pixels move in one lookup.
    """
    turns = allowed_turns(augmentation, channels, lights)
    depth = 1 if MODES[channels.mode].apart else len(turns[0][1])
    places = np.arange(depth * size * size).reshape(depth, size, size)
    rows = []
    for turn, order in turns:
        moved = places[list(order[:depth])]
        moved = moved[..., ::-1] if turn.mirrored else moved
        rows.append(np.rot90(moved, turn.quarters, axes=(1, 2)).reshape(-1))
    return torch.from_numpy(np.stack(rows))
