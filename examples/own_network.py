"""A network of your own as a plug-in: what lies in the middle of a crop and what lies around it are pooled apart.

    pitsearch plugin check own_network.py
    pitsearch launch mydata --plugin own_network.py --fix network=middle-and-rim

A pit lies in the middle of its crop; dirt lies anywhere. docs/plugins.md says what else a plug-in may hold.
"""

import torch
from torch import nn

import pitsearch as ps


class MiddleAndRim(nn.Module):
    """Convolutions, then the mean over a disc in the middle beside the mean over the rest of the crop."""

    disc: torch.Tensor

    def __init__(self, channels: int, classes: int, width: int, depth: int, size: int) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for before in [channels, *[width] * (depth - 1)]:
            parts += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        self.features = nn.Sequential(*parts)
        place = torch.linspace(-1, 1, size)
        # Weights that sum to 1 over the disc and over the rim, `[2, y, x]`. No parameter, but saved with the network.
        inside = (place[:, None] ** 2 + place**2 < 0.5).float()
        self.register_buffer("disc", torch.stack([part / part.sum() for part in (inside, 1 - inside)]))
        self.head = nn.Linear(2 * width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Turn images `[images, channels, y, x]` into logits `[images, classes]`."""
        pooled = torch.einsum("ncyx,pyx->ncp", self.features(images), self.disc)
        return self.head(pooled.flatten(1))


def build_middle_and_rim(network, channels, classes, size, dims):
    """Build the network for crops of `size` pixels; what `varies` names is searched."""
    return MiddleAndRim(channels, classes, network.width, network.depth, size)


plugin = ps.Plugin(
    networks=[
        ps.NetworkPlugin(
            "middle-and-rim", "the middle of a crop and its rim, pooled apart", build_middle_and_rim, varies=("width", "depth")
        )
    ],
)
