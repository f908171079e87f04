"""An ensemble as one module of torch: stored pixels in; P(signal), the classes' probabilities and the members' spread out.

It computes what `Ensemble.scores` does, in one graph that can be exported: the lights that are used, features, normalisation,
the members' mean, the rule over a pit's images, and calibration. Knows nothing of files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from foils.open_image import Grey
from models.inference.ensemble import Ensemble
from models.inputs import SCORED_AT_ONCE
from models.metrics import Floats
from models.scores import over_images
from spaces.choices.channels import MODES, used_lights

# The least chance whose logarithm is taken: of both signal and background none is left below.
LEAST = 1e-300


class Scorer(nn.Module):
    """Pixels `[pits, channels, y, x]` as stored in; `[pits]`, `[pits, classes]` and `[pits]` out, float32.

    P(signal) is calibrated. The classes' probabilities are the members' mean, those of background scaled so that all sum to 1.
    The spread is the standard deviation of the members' own P(signal), before calibration.
    """

    used: torch.Tensor

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__()
        config = ensemble.config
        self.members = nn.ModuleList(member.eval() for member in ensemble.members)
        self.register_buffer("used", torch.tensor(used_lights(config.channels, ensemble.lights)))
        self.apart, self.rule = MODES[config.channels.mode].apart, config.channels.scores
        self.classes = len(config.labelling.classes)
        self.temperature, self.offset = ensemble.temperature, ensemble.offset

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        images = pixels.float().index_select(1, self.used)
        if self.apart:
            images = images.flatten(0, 1).unsqueeze(1)
        chances = torch.stack([self._chances(member, images) for member in self.members])  # [members, pits, images, classes]
        mean = chances.mean(0)
        signal = over_images(self.rule, mean[..., 0])
        # Of background, the image with the greatest chance of signal has the least.
        background = -over_images(self.rule, -mean[..., 1:].sum(-1))
        odds = signal.clamp(min=LEAST).log() - background.clamp(min=LEAST).log()
        p_signal = torch.sigmoid(odds / self.temperature + self.offset)
        others = over_images(self.rule, mean[..., 1:]).clamp(min=LEAST)
        shares = others / others.sum(-1, keepdim=True)
        p_class = torch.cat([p_signal[:, None], (1 - p_signal[:, None]) * shares], -1)
        own = torch.stack([over_images(self.rule, part[..., 0]) for part in chances])
        spread = (own - own.mean(0)).square().mean(0).sqrt()
        return p_signal.float(), p_class.float(), spread.float()

    def _chances(self, member: Any, images: torch.Tensor) -> torch.Tensor:
        """Give a member's probabilities, `[pits, images, classes]`."""
        chances: torch.Tensor = member(images).double().softmax(-1)
        per_pit = len(self.used) if self.apart else 1
        return chances.view(-1, per_pit, chances.shape[-1])


@torch.no_grad()
def score_crops(scorer: Scorer, crops: Grey) -> tuple[Floats, Floats, Floats]:
    """Score crops `[pits, channels, y, x]` as `Graph.outputs` does: P(signal), the classes' probabilities, and the spread."""
    starts = range(0, max(len(crops), 1), SCORED_AT_ONCE)
    parts = [scorer(torch.from_numpy(np.ascontiguousarray(crops[start : start + SCORED_AT_ONCE]))) for start in starts]
    p_signal, p_class, spread = (torch.cat(each).double().numpy() for each in zip(*parts, strict=True))
    return p_signal, p_class, spread
