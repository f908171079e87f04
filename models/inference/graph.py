"""A model as an ONNX graph, scored by ONNX Runtime: the same pixels in and P(signal) out as of an ensemble, without torch.

Knows nothing of how the graph was made, nor of files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import onnxruntime

from foils.open_image import Grey
from models.metrics import Floats
from spaces.choices.channels import Light
from spaces.config import Config

INPUT, OUTPUTS = "pixels", ("p_signal", "p_class", "spread")
# Pits that go through the graph together.
AT_ONCE = 256


@dataclass(frozen=True)
class Graph:
    """An ensemble as a graph."""

    config: Config
    # Channels of the images.
    lights: tuple[Light, ...]
    # Edge of a crop in pixels.
    size: int
    # The largest value of a pixel.
    full_scale: int
    # The graph, as its file holds it.
    content: bytes = field(repr=False)

    @cached_property
    def session(self) -> Any:
        """What runs it, on this machine's processor."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors alone: they are raised, too
        return onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

    def outputs(self, crops: Grey) -> tuple[Floats, Floats, Floats]:
        """Score crops `[pits, channels, y, x]`: P(signal), `[pits]`; `[pits, classes]`; and the members' spread, `[pits]`."""
        starts = range(0, max(len(crops), 1), AT_ONCE)
        parts = [
            self.session.run(list(OUTPUTS), {INPUT: np.ascontiguousarray(crops[start : start + AT_ONCE])}) for start in starts
        ]
        p_signal, p_class, spread = (np.concatenate(each).astype(np.float64) for each in zip(*parts, strict=True))
        return p_signal, p_class, spread

    def scores(self, crops: Grey) -> Floats:
        """Score crops `[pits, channels, y, x]` by P(signal), `[pits]`."""
        return self.outputs(crops)[0]
