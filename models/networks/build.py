"""Build a configuration's classifier: features, normalisation and network in one module, so that its weights hold all.

One builder for each name in `spaces.choices.networks.NETWORKS`, and one for all of timm's. A scheme of background alone takes
the same networks without their heads, with a detector. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from models.networks.background import AnomalyClassifier, Autoencoder, Headed, headless
from models.networks.classifier import Classifier
from models.networks.detectors import make_detector
from models.networks.features import Features
from models.networks.minihip import MiniHip
from models.networks.normalisation import Normalise
from models.networks.pitnet import PitNet
from models.networks.ringnet import RingNet
from models.networks.setnet import SetNet
from models.networks.timm_networks import timm_network
from spaces.choices.channels import MODES, Light
from spaces.choices.detectors import DETECTORS
from spaces.choices.networks import Network
from spaces.config import Config
from spaces.plugins import find_part

__all__ = ["BUILDERS", "Classifier", "build"]

Builder = Callable[[Network, int, int, int, int], nn.Module]


def _pitnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return PitNet(network, channels, classes, size=size, dims=dims)


def _minihip(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return MiniHip(channels, classes, size=size, dims=dims)


def _setnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return SetNet(network, classes, size=size)


def _ringnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return RingNet(network, channels, classes, size=size)


# Networks of timm have one builder for all, those of plugins bring their own.
BUILDERS: dict[str, Builder] = {"pitnet": _pitnet, "minihip": _minihip, "setnet": _setnet, "ringnet": _ringnet}


def build(
    config: Config,
    channels: int,
    size: int,
    full_scale: int,
    *,
    lights: Sequence[Light] = (),
    pretrained: bool = True,
    answers: int = 2,
) -> Classifier:
    """Build the classifier of a configuration, freshly initialised from torch's current seed.

    `channels`: of an image that it is given; `size`: the crop's edge in pixels; `full_scale`: 255 or 65535; `lights`: the data
    set's, which features are computed from; `pretrained`: False where weights follow, so that those which the configuration
    started from are not read again; `answers`: how many there are to what a network of background alone learns, which weights
    that follow know better. Raises SpaceError where the lights do not carry the features, timm does not know the
    network, or its weights cannot be read.
    """
    features = None if config.channels.features == "none" else Features(config.channels, lights)
    channels = channels if features is None else features.count
    dims = MODES[config.channels.mode].dims
    classes = len(config.labelling.classes)
    part = find_part("networks", config.network.name)
    builder = BUILDERS.get(config.network.name) if part is None else part.build
    if builder is None:
        network = timm_network(config.network, channels, classes, size, pretrained=pretrained)
    else:
        network = builder(config.network, channels, classes, size, dims)
    # Channels together in memory: about 1.5 times faster for small networks on CPU, flat or with lights as an axis.
    solid = any(isinstance(module, nn.Conv3d) for module in network.modules())
    network = network.to(memory_format=torch.channels_last_3d if solid else torch.channels_last)
    # 3-D inputs get their axis of lights in the network.
    inputs = torch.channels_last if dims == 2 else torch.contiguous_format
    normalise = Normalise(config.normalisation, channels, full_scale, size)
    if not config.labelling.rule.background_only:
        return Classifier(features, normalise, network, inputs)
    body, wide = headless(network, channels, size)
    reconstructs = DETECTORS[config.labelling.detector].reconstructs
    learner = Autoencoder(body, wide, channels, size) if reconstructs else Headed(body, wide, answers)
    return AnomalyClassifier(features, normalise, learner, make_detector(config.labelling.detector, wide), inputs)
