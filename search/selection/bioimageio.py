"""Describe an exported bundle as bioimage.io asks for, `bioimageio.yaml`, so that its tools can list, check and run the graph.

Follows the model description 0.5 (bioimage.io, https://github.com/bioimage-io/spec-bioimage-io). Knows nothing of studies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from models.inference.bundle_schema import MODEL, BundleForm, read_form
from models.inference.example import INPUT, ONNX, read_example
from models.inference.graph import INPUT as PIXELS
from models.inference.graph import OUTPUTS, read_graph
from search.errors import StudyError
from search.selection.front_matter import CARD, TAGS
from search.selection.model_store import file_hashes

FILE = "bioimageio.yaml"
FORMAT = "0.5.14"
# What the graph gives for the pits of INPUT, a file an output.
TEST_OUTPUTS = {name: f"test_{name}.npy" for name in OUTPUTS}
MEANINGS = {
    "p_signal": "calibrated probability of signal",
    "p_class": "probability of each class, the signal first",
    "spread": "standard deviation of the members' P(signal)",
}
# By so much may what is computed elsewhere differ.
TOLERANCE = 1e-5
# Licences by the names that Hugging Face's hub has for them, and those of SPDX, which bioimage.io takes.
LICENCES = {
    name.lower(): name
    for name in (
        *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "ISC", "Zlib", "MPL-2.0", "LGPL-3.0", "GPL-2.0", "GPL-3.0"),
        *("AGPL-3.0", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "Unlicense"),
    )
}


def check_licence(licence: str | None) -> None:
    """Raise StudyError where bioimage.io does not know a licence."""
    if licence is not None and licence.lower() not in LICENCES:
        raise StudyError(
            f"a licence that bioimage.io knows must be one of {', '.join(sorted(LICENCES))}, but got {licence!r}; choose "
            "one, or export without --bioimageio."
        )


def write_bioimageio(folder: Path, licence: str | None) -> None:
    """Write the description of a bundle that has a graph into its folder, and what the graph gives for its example."""
    import onnx

    form, about = read_form((folder / MODEL).read_bytes(), MODEL)
    graph, _, _ = read_graph(folder / ONNX)
    tolerances = []
    for name, scores in zip(OUTPUTS, graph.outputs(read_example(folder)[0]), strict=True):
        np.save(folder / TEST_OUTPUTS[name], scores.astype(np.float32), allow_pickle=False)
        # bioimage.io takes no more than a hundredth of the largest value, and that of the spread may be 0.
        absolute = min(TOLERANCE, float(scores.max()) / 200)
        tolerances.append({"output_ids": [name], "relative_tolerance": 1e-3, "absolute_tolerance": absolute})
    opset = next(entry.version for entry in onnx.load_model_from_string(graph.content).opset_import if not entry.domain)
    values = _description(form, about, licence, opset, file_hashes(folder))
    values["config"]["bioimageio"] = {"reproducibility_tolerance": tolerances}
    (folder / FILE).write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _description(
    form: BundleForm, about: Mapping[str, Any], licence: str | None, opset: int, hashes: Mapping[str, str]
) -> dict[str, Any]:
    def file(name: str) -> dict[str, str]:
        return {"source": name, "sha256": hashes[name]}

    micrometres = form.source.pixel_um if form.source else None
    scale = {} if micrometres is None else {"unit": "micrometer", "scale": micrometres}
    lights = [light.name for light in form.channels]
    batch = {"type": "batch"}
    return {
        "format_version": FORMAT,
        "type": "model",
        "name": re.sub("[^A-Za-z0-9_+ ()-]", "_", f"Etch pits {about['study']} trial {about['trial']}")[:128],
        "description": f"Classifies etch pits in nuclear track detectors: crops of {form.crop} x {form.crop} pixels under "
        f"{len(lights)} lights. A pit is accepted as signal from P(signal) {form.threshold:.6f} on.",
        "version": "0.1.0",
        "tags": TAGS,
        **({} if licence is None else {"license": LICENCES[licence.lower()]}),
        "documentation": file(CARD),
        "inputs": [
            {
                "id": PIXELS,
                "description": f"stored values up to {form.full_scale}, never scaled",
                "axes": [
                    batch,
                    {"type": "channel", "channel_names": lights},
                    {"type": "space", "id": "y", "size": form.crop, **scale},
                    {"type": "space", "id": "x", "size": form.crop, **scale},
                ],
                "data": {"type": "uint8" if form.full_scale <= np.iinfo(np.uint8).max else "uint16"},
                "test_tensor": file(INPUT),
            }
        ],
        "outputs": [
            {
                "id": name,
                "description": MEANINGS[name],
                "axes": [batch, *([{"type": "channel", "channel_names": [*form.classes]}] if name == "p_class" else [])],
                "data": {"type": "float32"},
                "test_tensor": file(TEST_OUTPUTS[name]),
            }
            for name in OUTPUTS
        ],
        "weights": {"onnx": {**file(ONNX), "opset_version": opset}},
        "config": {"pitsearch": {"threshold": form.threshold, "working_point": form.working_point, "description": MODEL}},
    }
