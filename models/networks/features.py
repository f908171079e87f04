"""Compute per-pixel features of the rotating lights, as `spaces.choices.features.FEATURES` says.

All are sums of lights with fixed weights, one small matrix product; "fourier" adds an amplitude. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from spaces.choices.channels import Channels, Light, opposite, rotating_azimuths, used_lights
from spaces.choices.features import check_features
from spaces.plugins import find_part

Matrix = npt.NDArray[np.float64]


def _minus_mean(azimuths: Sequence[float]) -> Matrix:
    return np.eye(len(azimuths)) - 1 / len(azimuths)


def _opposite(azimuths: Sequence[float]) -> Matrix:
    pairs = [(first, opposite(azimuths, azimuth)[0]) for first, azimuth in enumerate(azimuths)]
    identity = np.eye(len(azimuths))
    return np.stack([identity[first] - identity[second] for first, second in pairs if first < second])


def _fourier(azimuths: Sequence[float]) -> Matrix:
    radians = np.deg2rad(azimuths)
    solved: Matrix = np.linalg.pinv(np.stack([np.ones_like(radians), np.cos(radians), np.sin(radians)], 1))
    return solved


# Each feature's weights of the rotating lights, [features, lights], given their azimuths in degrees.
WEIGHTS: dict[str, Callable[[Sequence[float]], Matrix]] = {
    "minus mean": _minus_mean,
    "opposite": _opposite,
    "fourier": _fourier,
}


class Features(nn.Module):
    """Stored values `[images, channels, y, x]` in, float32 features `[images, features, y, x]` at the same scale out.

    The weights are a buffer, so that saved weights say what the features are.
    """

    weights: torch.Tensor

    def __init__(self, channels: Channels, lights: Sequence[Light]) -> None:
        super().__init__()
        check_features(channels, lights)
        used = [lights[number] for number in used_lights(channels, lights)]
        rotating = [place for place, light in enumerate(used) if light.azimuth_deg is not None]
        others = [place for place, light in enumerate(used) if light.azimuth_deg is None]
        part = find_part("features", channels.features)
        of_rotating = (WEIGHTS[channels.features] if part is None else part.weights)(rotating_azimuths(used))
        weights = np.zeros((len(of_rotating) + len(others), len(used)))
        weights[: len(of_rotating), rotating] = of_rotating
        weights[range(len(of_rotating), len(weights)), others] = 1
        self.register_buffer("weights", torch.from_numpy(weights).float())
        self.has_amplitude = channels.features == "fourier"

    @property
    def count(self) -> int:
        """The number of features."""
        return len(self.weights) + self.has_amplitude

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = functional.linear(images.float().movedim(1, -1), self.weights)
        if self.has_amplitude:
            cosine, sine = values[..., 1:2], values[..., 2:3]
            # ONNX has no hypot; the last digit differs.
            exported = torch.compiler.is_exporting()
            amplitude = (cosine.square() + sine.square()).sqrt() if exported else torch.hypot(cosine, sine)
            values = torch.cat([values[..., :1], amplitude, values[..., 1:]], -1)
        return values.movedim(-1, 1)
