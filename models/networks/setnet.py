"""Build setnet: one small network for the image under each light, and pooling over lights: a pit as the set of its images.

As multi-view networks do (Su et al. 2015, arXiv:1505.00880); such a function is the general form of one without order
(Zaheer et al. 2017, arXiv:1703.06114). Knows nothing of labels, normalisation or training.
"""

from __future__ import annotations

import torch
from torch import nn

from models.inputs import SCORED_AT_ONCE
from models.networks.blocks import blocks, dropout, pooled
from spaces.choices.networks import Network


class SetNet(nn.Module):
    """Input `[images, lights, y, x]`, in any number and order of lights; output logits `[images, classes]`.

    The weights do not depend on the lights. Normalised by each channel's own mean, as `dataset` does, lights are distinguished
    before they come here; under `image` and `raw` the whole classifier is indifferent to their order.
    """

    def __init__(self, network: Network, classes: int, *, size: int) -> None:
        super().__init__()
        self.over_plane, self.over_lights = network.head, network.lights
        self.blocks, features = blocks(network, 1, size)
        self.head = nn.Linear(features, classes)
        self.dropout = dropout(network.dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        apart = images.reshape(-1, 1, *images.shape[2:])
        # In scoring, images are independent: as many at once as in a network of one image a pit. A graph takes any number.
        whole = self.training or torch.compiler.is_exporting()
        parts = (apart,) if whole else apart.split(SCORED_AT_ONCE)
        features = torch.cat([pooled(self.blocks(part).flatten(2), self.over_plane, 2) for part in parts])
        values = pooled(features.view(*images.shape[:2], -1), self.over_lights, 1)
        logits: torch.Tensor = self.head(self.dropout(values))
        return logits
