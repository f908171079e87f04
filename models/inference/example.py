"""Keep some pits with a model, and their scores: whoever runs it elsewhere compares with them. Knows nothing of studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foils import Dataset
from foils.open_image import Grey
from models.metrics import Floats

if TYPE_CHECKING:
    from models.inference.bundle import Bundle  # imports torch

# Pixels `[pits, channels, y, x]` as stored, and P(signal) of each, `[pits]`.
INPUT, OUTPUT = "test_input.npy", "test_output.npy"
# The graph that scores them the same, where there is one.
ONNX = "model.onnx"
# The graph that runs over whole frames, where the networks can.
SCAN_ONNX = "scan.onnx"
# At most.
PITS = 256


def write_example(folder: Path, bundle: Bundle, data: Dataset) -> None:
    """Write pits of a data set, spread evenly over it, and their scores."""
    chosen = np.unique(np.linspace(0, len(data) - 1, min(PITS, len(data))).round().astype(int))
    crops = np.ascontiguousarray(data.take(chosen).crops())
    np.save(folder / INPUT, crops, allow_pickle=False)
    np.save(folder / OUTPUT, bundle.score(crops), allow_pickle=False)


def read_example(folder: Path) -> tuple[Grey, Floats]:
    """Read what `write_example` wrote."""
    return np.load(folder / INPUT, allow_pickle=False), np.load(folder / OUTPUT, allow_pickle=False)
