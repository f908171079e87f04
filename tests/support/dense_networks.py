"""Fully convolutional networks that were not trained, and frames for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from models.inference.ensemble import Ensemble, empty_member
from spaces.config import Config
from tests.support.channels import QMUL
from tests.support.configs import NAMED, channels_of

SIZE = 28


def ensemble_of(config: Config, members: int = 1) -> Ensemble:
    """An ensemble that was not trained, but whose buffers are as if it had been."""
    torch.manual_seed(3)
    return Ensemble(config, tuple(_member(config) for _ in range(members)), QMUL, SIZE, 255, temperature=1.3, offset=-0.2)


def _member(config: Config) -> Any:
    member = empty_member(config, QMUL, SIZE, 255)
    member.normalise.mean.fill_(0.5)
    member.normalise.deviation.uniform_(0.1, 0.3)
    for module in member.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return member


def frame(height: int, width: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A frame of smooth texture under every light, `[channels, y, x]`."""
    rough = np.random.default_rng(seed).normal(128, 90, (len(QMUL), height // 4 + 2, width // 4 + 2))
    smooth = rough.repeat(4, 1).repeat(4, 2)[:, :height, :width]
    return np.clip(smooth, 0, 255).astype(np.uint8)


def config_of(network: str, mode: str, **others: Any) -> Config:
    """A small network in a mode."""
    return Config(channels=channels_of(mode), network=NAMED[network], **others)
