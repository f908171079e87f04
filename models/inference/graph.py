"""A model as an ONNX graph, scored by ONNX Runtime: the same pixels in and P(signal) out as of an ensemble, without torch.

Knows nothing of how the graph was made. onnx and onnxruntime are imported where they are used: most bundles hold no graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from foils.open_image import Grey
from models.errors import BundleError
from models.inference.bundle_schema import BundleForm, read_form
from models.metrics import Floats
from pitsearch.errors import first_cause, reason
from pitsearch.regular_file import read_regular
from spaces.choices.channels import Light
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.plugin_files import check_loaded

INPUT, OUTPUTS = "pixels", ("p_signal", "p_class", "spread")
# The keys of its metadata that say all that `model.json` does, and hash the graph; and bytes of a graph, at most.
DESCRIPTION, HASH, MOST_BYTES = "model.json", "graph_sha256", 2**31
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
        import onnxruntime

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


def read_graph(path: Path) -> tuple[Graph, BundleForm, dict[str, Any]]:
    """Read a graph that an export wrote, and all that it says of itself. Raises BundleError for anything else."""
    import onnx

    try:
        content = read_regular(path, MOST_BYTES)
        model = onnx.load_model_from_string(content)
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model.graph)):
            raise ValueError("it must hold all of its numbers, but takes some from another file")
        said = {entry.key: entry.value for entry in model.metadata_props}
        form, about = read_form(said[DESCRIPTION], path)
        if said.get(HASH) != graph_hash(model):
            raise BundleError(f"{path}: the graph must be as it was exported, but its hash differs; export the model again.")
        check_loaded(form.about.plugins, "this model")
        graph = Graph(Config.from_dict(form.config), form.lights, form.crop, form.full_scale, content)
        graph.session  # noqa: B018 -- what cannot be run is said now
    except BundleError:
        raise
    except SpaceError as error:
        raise BundleError(f"{path}: {error}") from None
    except Exception as error:  # of onnx and onnxruntime, which share no base
        raise BundleError(
            f"{path}: a graph must be one that export wrote, but: {short_cause(error)}; check the path, or export again."
        ) from None
    return graph, form, about


def _tensors(graph: Any) -> Iterator[Any]:
    """Give every tensor of a graph, also those of its nodes and of the graphs within."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner)


def graph_hash(model: Any) -> str:
    """Hash what a model of onnx computes, without what it says of itself."""
    return hashlib.sha256(model.graph.SerializeToString(deterministic=True)).hexdigest()


def short_cause(error: BaseException) -> str:
    """Say on one short line what an error came from."""
    return reason(first_cause(error))[:160]
