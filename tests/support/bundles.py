"""A small ensemble of untrained networks, for bundles."""

from __future__ import annotations

from typing import Any

import torch

from foils import Dataset
from models.inference.bundle import Bundle
from models.inference.bundle_schema import SourceData
from models.inference.ensemble import Ensemble
from models.inputs import lay_out
from models.networks.build import build
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.config import Config
from tests.support.toys import LIGHTS, crops


def ensemble(mode: str = "stacked", members: int = 2, normalisation: str = "dataset", **use: Any) -> Ensemble:
    """Build an ensemble of small networks, measured on random crops; its channels take what else is given."""
    torch.manual_seed(0)
    channels = Channels(mode, "9" if mode == "single" else None, **use)
    config = Config(channels=channels, network=Network("pitnet", depth=2, width=4), normalisation=normalisation)
    inputs = lay_out(crops(8), config.channels, LIGHTS)
    built = []
    for _ in range(members):
        classifier = build(config, inputs.channels, inputs.size, inputs.full_scale, lights=LIGHTS)
        classifier.measure([inputs.pick(torch.arange(len(inputs.rows)))])
        built.append(classifier)
    return Ensemble(config, tuple(built), LIGHTS, inputs.size, inputs.full_scale)


def of_data(data: Dataset) -> Bundle:
    """Give a bundle of untrained networks that says it searched the first ten pits of the data set."""
    source = SourceData(data.description.name, data.description.signal)
    return Bundle(ensemble(), 0.5, 0.05, {"searched_pixels": data.pixel_hashes[:10]}, source)
