"""Tasks: what a network is told of its data."""

from __future__ import annotations

from dataclasses import replace

from foils import Dataset
from models.training.task import make_task
from spaces.config import Config


def test_the_bits_of_a_camera_scale_what_networks_see(tiny: Dataset) -> None:
    assert make_task(tiny, Config(), epochs=1, working_point=0.1).inputs.full_scale == 255
    deep = replace(tiny, description=replace(tiny.description, bits=12))
    deep.__dict__["pixels"] = tiny.pixels.astype("uint16")
    assert make_task(deep, Config(), epochs=1, working_point=0.1).inputs.full_scale == 4095
