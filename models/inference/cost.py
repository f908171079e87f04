"""Count the cost of scoring a pit: multiply-adds, the same on every machine. Knows nothing of training or of clocks.

The classifier itself, features and network, scores one pit: counted is what convolutions, dense layers and attention
multiply, which is nearly all of the work. Norms, activations, pooling and the enlarging of crops, a few operations a value, are
not. The zeros of a convolution's margin count, for they are multiplied; where `models/networks/tiny_maps.py` leaves them out,
they do not. An ensemble costs as many times this as it has members.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from models.networks.build import build
from spaces.choices.channels import MODES, Light, used_lights
from spaces.config import Config


def inference_cost(config: Config, lights: Sequence[Light], size: int) -> int:
    """Count the multiply-adds that one trained classifier needs for a pit, all of its images together.

    `lights`: the data set's channels; `size`: the crop's edge in pixels. Draws nothing from torch's seed, reads no pretrained
    weights. Raises SpaceError where the lights do not allow the configuration.
    """
    used = len(used_lights(config.channels, lights))
    images, channels = (used, 1) if MODES[config.channels.mode].apart else (1, used)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        classifier = build(config, channels, size, 255, lights=lights, pretrained=False).eval()
        pit = torch.zeros(images, channels, size, size, dtype=torch.uint8)
        # Attention as plain products: torch does not count the kernel that is fused on CPU.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            classifier(pit)
    return int(counter.get_total_flops()) // 2  # torch counts a multiplication and an addition as two
