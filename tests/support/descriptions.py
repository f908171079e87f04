"""A good `foil.toml`, and the reading of any."""

from __future__ import annotations

from pathlib import Path

from foils.description import Description, read_description

# A description with every key.
GOOD = """\
name = "mine"
signal = "candidate"
pattern = "crops/{pit}_{channel}.png"
crop = 28
labels = ["candidate", "top"]
ignore = ["top"]
pixel_um = 0.85

[[channels]]
name = "1"
kind = "rotating"
azimuth_deg = 67.5

[[channels]]
name = "9"
kind = "backlit"
"""


def read(folder: Path, text: str) -> tuple[Description | None, list[str]]:
    """Write a text as `foil.toml`, and read it with its faults."""
    (folder / "foil.toml").write_text(text, encoding="utf-8")
    faults: list[str] = []
    return read_description(folder, faults), faults
