"""Try whether ONNX can hold a network before it is trained, on one member with fresh weights. Knows nothing of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from foils.open_image import Grey
from models.errors import BundleError
from models.inference.bundle import Bundle
from models.inference.ensemble import Ensemble, empty_member
from models.inference.example import ONNX
from models.inference.graph import short_cause
from models.inference.onnx_file import write_onnx
from spaces.choices.channels import Light
from spaces.config import Config

# Pits that are scored; one is scored alone.
PITS = 4


def graph_obstacle(config: Config, lights: Sequence[Light], size: int, full_scale: int) -> str | None:
    """Say why a configuration's model would have no graph; None where it would have one. Takes some seconds.

    `lights`, `size`, `full_scale`: those of the images. Draws nothing from torch's seed.
    """
    kind: type[np.uint8 | np.uint16] = np.uint8 if full_scale <= np.iinfo(np.uint8).max else np.uint16
    drawn = np.random.default_rng(0).integers(0, full_scale + 1, (PITS, len(lights), size, size))
    pixels: Grey = drawn.astype(kind)
    with torch.random.fork_rng(devices=[]), TemporaryDirectory() as folder:
        torch.manual_seed(0)
        path = Path(folder) / ONNX
        try:
            member = empty_member(config, lights, size, full_scale).eval()
            bundle = Bundle(Ensemble(config, (member,), tuple(lights), size, full_scale), 0.5, 0.05, {})
            write_onnx(path, bundle, pixels, bundle.score(pixels))
        except BundleError as error:
            return str(error).removeprefix(f"{path}: ")
        except Exception as error:  # a plugin's network may raise anything
            return f"the network must be one that scores images, but {config.network.name} is not: {short_cause(error)}."
    return None
