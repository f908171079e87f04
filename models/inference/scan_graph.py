"""Write fully convolutional networks as an ONNX graph: whole frames in, a heat map of P(signal) for each member out.

Knows nothing of hits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch

from foils.open_image import Grey
from models.errors import BundleError
from models.inference.bundle import Bundle, networks_of
from models.inference.dense import DenseScorer
from models.inference.graph import HASH, INPUT, graph_hash, short_cause
from models.inference.onnx_file import TOLERANCE, metadata, trace

OUTPUT = "heat"
# The frames that the graph is traced and compared on are mosaics of so many crops, down and across.
TRACED, COMPARED = (5, 6), (4, 7)


def write_scan_onnx(path: Path, bundle: Bundle, pixels: Grey) -> None:
    """Write the graph, and compare its map with the networks' own on a frame of another size.

    `pixels`: some crops `[pits, channels, y, x]`, of which frames are put together. The output is `[batch, member, row,
    column]`; the metadata say its `stride` and the `crop`. Raises BundleError where it cannot be written, or differs.
    """
    dense, name = DenseScorer(networks_of(bundle)), bundle.ensemble.config.network.name
    example = torch.from_numpy(np.repeat(_mosaic(pixels, *TRACED), 2, 0))
    size = bundle.ensemble.size
    shapes = {
        0: torch.export.Dim("batch", min=1),
        2: torch.export.Dim("y", min=2 * size),
        3: torch.export.Dim("x", min=2 * size),
    }
    graph = trace(dense, example, [OUTPUT], shapes, name)
    said = {**metadata(bundle), "stride": str(dense.stride), "crop": str(size), HASH: graph_hash(graph)}
    onnx.helper.set_model_props(graph, said)
    onnx.save_model(graph, path)
    check_scan_onnx(path, dense, _mosaic(pixels, *COMPARED))


@torch.no_grad()
def check_scan_onnx(path: Path, dense: DenseScorer, frame: Grey) -> None:
    """Raise BundleError where the graph's map is not that of the networks, within TOLERANCE."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        heat = session.run([OUTPUT], {INPUT: frame})[0]
    except Exception as error:  # onnxruntime's own, which share no base
        raise BundleError(
            f"{path}: ONNX Runtime must be able to run frames of any size, but: {short_cause(error)}; export with --no-onnx."
        ) from None
    difference = float(np.abs(heat - dense(torch.from_numpy(frame)).numpy()).max())
    if not difference <= TOLERANCE:
        raise BundleError(
            f"{path}: ONNX Runtime must give the networks' own map within {TOLERANCE:g}, but it differs by {difference:.1e}; "
            "please report this, with the configuration."
        )


def _mosaic(pixels: Grey, down: int, across: int) -> Grey:
    """Put crops beside each other to a frame, `[1, channels, y, x]`."""
    count, channels, height, width = down * across, *pixels.shape[1:]
    laid = np.resize(pixels, (count, channels, height, width)).reshape(down, across, channels, height, width)
    return np.ascontiguousarray(laid.transpose(2, 0, 3, 1, 4).reshape(1, channels, down * height, across * width))
