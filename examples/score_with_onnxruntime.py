"""Score images of pits with an exported model, where pitsearch and torch are not installed.

    python score_with_onnxruntime.py best/model.onnx images > scores.csv

The folder holds one grey image a pit and light, `{pit}_{channel}.png`, as the microscope stored it. Needs onnxruntime, numpy
and Pillow alone. `pitsearch predict` scores the same, and checks more: labels, damaged files, pits that the search has seen.
"""

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def read_crops(folder: Path, channels: Sequence[str], crop: int, full_scale: int) -> tuple[list[str], np.ndarray]:
    """Read the images of a folder: the pits' names, and their pixels `[pits, channels, y, x]`."""
    ending = f"_{channels[0]}.png"
    pits = sorted(path.name.removesuffix(ending) for path in folder.glob(f"*{ending}"))
    if not pits:
        sys.exit(f"{folder} must hold images such as pit_{channels[0]}.png, but has none; name another folder.")
    pixels = np.empty((len(pits), len(channels), crop, crop), np.uint8 if full_scale == 255 else np.uint16)
    for row, pit in enumerate(pits):
        for column, channel in enumerate(channels):
            path = folder / f"{pit}_{channel}.png"
            try:
                with Image.open(path) as opened:
                    image = np.asarray(opened)
            except OSError as error:
                sys.exit(f"{path} must be an image, but: {error}; add it.")
            if image.shape != (crop, crop) or image.max() > full_scale:
                sys.exit(f"{path} must have {crop} x {crop} grey pixels up to {full_scale}, but is another image; replace it.")
            pixels[row, column] = image
    return pits, pixels


def main(model: str, folder: str) -> None:
    """Print a line a pit: P(signal), how far the networks of the model lie apart, and whether the pit is accepted."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    described = json.loads(metadata["model.json"])
    channels, threshold = json.loads(metadata["channels"]), float(metadata["threshold"])
    pits, pixels = read_crops(Path(folder), channels, described["crop"], described["full_scale"])
    p_signal, _, spread = session.run(["p_signal", "p_class", "spread"], {"pixels": pixels})
    writer = csv.writer(sys.stdout)
    writer.writerow(["pit", "p_signal", "spread", "accepted"])
    for pit, score, apart in zip(pits, p_signal, spread, strict=True):
        writer.writerow([pit, f"{score:.6f}", f"{apart:.6f}", int(score >= threshold)])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
