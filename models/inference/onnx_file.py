"""Write a bundle as an ONNX graph that runs without torch and without pitsearch, and check that it scores the same.

Raw pixels in; features, normalisation, the members' mean and calibration are part of the graph. Knows nothing of studies.
"""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from foils.open_image import Grey
from models.errors import BundleError
from models.inference.bundle import Bundle, describe_bundle, model_hash, networks_of
from models.inference.graph import DESCRIPTION, HASH, INPUT, OUTPUTS, graph_hash, read_graph, short_cause
from models.inference.scorer import Scorer
from models.metrics import Floats

# By so much may P(signal) differ from the trainer's.
TOLERANCE = 1e-5
# Pits in the example that the graph is traced with; any number may be scored.
TRACED = 3


def write_onnx(path: Path, bundle: Bundle, pixels: Grey, expected: Floats) -> None:
    """Write the graph and score some pits with it.

    `pixels`: `[pits, channels, y, x]` as stored; `expected`: `[pits]`, their P(signal). Raises BundleError where the network
    cannot be written, or the graph does not score as it does.
    """
    example = torch.from_numpy(np.resize(pixels, (TRACED, *pixels.shape[1:])))
    shapes = {0: torch.export.Dim("batch", min=1)}
    graph = trace(Scorer(networks_of(bundle)), example, OUTPUTS, shapes, bundle.ensemble.config.network.name)
    onnx.helper.set_model_props(graph, {**metadata(bundle), HASH: graph_hash(graph)})
    onnx.save_model(graph, path)
    check_onnx(path, pixels, expected)


def trace(module: nn.Module, example: torch.Tensor, outputs: Sequence[str], shapes: Mapping[int, Any], name: str) -> Any:
    """Give a module of one input as a model of onnx; `shapes`: the input's axes that may be of any length.

    `name`: the network's, for the error. Raises BundleError where ONNX cannot hold the module.
    """
    try:
        with _quiet():
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                input_names=[INPUT],
                output_names=list(outputs),
                dynamic_shapes=(dict(shapes),),
                verbose=False,
            )
            assert program is not None
            return program.model_proto
    except Exception as error:  # torch raises what it meets on the way
        raise BundleError(
            f"the network must be one that ONNX can hold, but {name} is not: {short_cause(error)}; export with --no-onnx, for "
            "the weights alone."
        ) from None


def check_onnx(path: Path, pixels: Grey, expected: Floats) -> None:
    """Raise BundleError where a graph's P(signal) is not that which is expected, within TOLERANCE."""
    try:
        # Also one alone: a network may have fixed how many there are.
        graph, _, _ = read_graph(path)
        p_signal = np.concatenate([graph.scores(part) for part in (pixels[:1], pixels[1:]) if len(part)])
    except Exception as error:  # onnxruntime's own, which share no base
        raise BundleError(
            f"{path}: ONNX Runtime must be able to score any number of pits, but: {short_cause(error)}; export with --no-onnx."
        ) from None
    difference = float(np.abs(p_signal - expected).max(initial=0.0))
    if not difference <= TOLERANCE:
        raise BundleError(
            f"{path}: ONNX Runtime must give the trainer's P(signal) within {TOLERANCE:g}, but one differs by "
            f"{difference:.1e}; please report this, with the configuration."
        )


def metadata(bundle: Bundle) -> dict[str, str]:
    """Give what the graph says of itself."""
    ensemble = networks_of(bundle)
    return {
        DESCRIPTION: json.dumps(describe_bundle(bundle, ensemble.weights()), allow_nan=False),
        "fingerprint": str(bundle.about.get("fingerprint", "")),
        "threshold": repr(bundle.threshold),
        "working_point": repr(bundle.working_point),
        "classes": json.dumps(list(ensemble.config.labelling.classes)),
        "channels": json.dumps([light.name for light in ensemble.lights]),
        "model_sha256": model_hash(bundle),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what exporting says on the way; where it fails, its error says more."""
    level = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)
