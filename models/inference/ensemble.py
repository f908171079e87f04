"""Score pits with several trained classifiers of one configuration: the mean of their P(signal).

Saves and loads as safetensors bytes. Knows nothing of folders, studies or training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from scipy.special import expit

from foils.open_image import Grey
from models.errors import BundleError
from models.inputs import SCORED_AT_ONCE, lay_out
from models.metrics import Floats
from models.networks.build import Classifier, build
from models.scores import over_images
from pitsearch.errors import reason
from spaces.choices.channels import MODES, Light, used_lights
from spaces.config import Config


@dataclass(frozen=True)
class Ensemble:
    """Trained classifiers of one configuration."""

    config: Config
    members: tuple[Classifier, ...]
    # Channels of the images that the members score.
    lights: tuple[Light, ...]
    # Edge of a crop in pixels.
    size: int
    # The largest value of a pixel.
    full_scale: int
    # Divides the scores' log-odds.
    temperature: float = 1.0
    # Is added to them then.
    offset: float = 0.0

    def __repr__(self) -> str:
        images = f"{len(self.lights)} channels of {self.size} x {self.size}"
        return f"Ensemble({len(self.members)} members, {images}: {self.config.describe()})"

    def scores(self, crops: Grey) -> Floats:
        """Score crops `[pits, channels, y, x]` by P(signal), `[pits]`: the members' mean, over a pit's images, calibrated."""
        scores: Floats = expit(self.log_odds(crops) / self.temperature + self.offset)
        return scores

    @torch.no_grad()
    def log_odds(self, crops: Grey) -> Floats:
        """Give the log-odds of the members' mean P(signal) over a pit's images, before calibration, `[pits]` in float64.

        The chance of background is summed apart from that of signal: 1 - P(signal) would end at P(signal) = 1.
        """
        if not len(crops):
            return np.zeros(0)
        inputs = lay_out(crops, self.config.channels, self.lights)
        images = inputs.of_pits(torch.arange(len(crops)))
        total = torch.zeros(len(images), 2, dtype=torch.float64)
        for member in self.members:
            member.eval()
            parts = [member(inputs.pick(part)).double().softmax(1) for part in images.split(SCORED_AT_ONCE)]
            total += torch.cat([torch.stack((part[:, 0], part[:, 1:].sum(1)), 1) for part in parts])
        mean, rule = (total / len(self.members)).view(-1, inputs.per_pit, 2), self.config.channels.scores
        # The rules are over P(signal): of background, the image with the greatest has the least.
        signal, background = over_images(rule, mean[..., 0]), -over_images(rule, -mean[..., 1])
        odds: Floats = (signal.log() - background.log()).numpy()
        return odds

    def weights(self) -> bytes:
        """Give every member's weights and normalisation as safetensors bytes."""
        return save(
            {
                f"{number}.{name}": tensor.cpu().contiguous()
                for number, member in enumerate(self.members)
                for name, tensor in member.state_dict().items()
            }
        )


def with_weights(
    weights: bytes,
    config: Config,
    members: int,
    lights: Sequence[Light],
    size: int,
    full_scale: int,
    temperature: float = 1.0,
    offset: float = 0.0,
) -> Ensemble:
    """Rebuild an ensemble from `Ensemble.weights`. Raises BundleError where the weights do not fit the configuration."""
    try:
        tensors = load(weights)
        classifiers = tuple(_member(tensors, number, config, lights, size, full_scale) for number in range(members))
    except (SafetensorError, RuntimeError) as error:
        raise BundleError(f"the weights must fit the configuration, but: {reason(error)}; export the model again.") from None
    return Ensemble(config, classifiers, tuple(lights), size, full_scale, temperature, offset)


def empty_member(config: Config, lights: Sequence[Light], size: int, full_scale: int) -> Classifier:
    """Build a member whose weights follow, on torch's current device."""
    channels = 1 if MODES[config.channels.mode].apart else len(used_lights(config.channels, lights))
    return build(config, channels, size, full_scale, lights=lights, pretrained=False)


def _member(
    tensors: Mapping[str, torch.Tensor], number: int, config: Config, lights: Sequence[Light], size: int, full_scale: int
) -> Classifier:
    classifier = empty_member(config, lights, size, full_scale)
    prefix = f"{number}."
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    for name, tensor in own.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise RuntimeError(f"{prefix}{name} must hold finite numbers")
    classifier.load_state_dict(own)
    return classifier
