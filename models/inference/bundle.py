"""Write and read a bundle: a folder with `model.safetensors` and `model.json`, sufficient to score pits.

No pickle: the weights are safetensors, checked against their hash before they are parsed. Knows nothing of studies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foils.open_image import Grey
from models.errors import BundleError
from models.inference.bundle_schema import (
    FORMAT,
    FORMER_WEIGHTS,
    MODEL,
    WEIGHTS,
    BundleForm,
    SourceData,
    hash_of_model,
    read_form,
    seal,
)
from models.inference.ensemble import Ensemble, with_weights
from models.inference.graph import Graph, read_graph
from models.inference.hub_config import CONFIG, hub_config
from models.inference.image_check import ImageKind, check_crops, check_kind
from models.inference.weights_file import read_weights
from models.metrics import Floats
from pitsearch.json_text import MOST_BYTES
from pitsearch.regular_file import read_regular
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.plugin_files import check_loaded

# What building a network whose measures do not go together may end in.
BUILDING = (ArithmeticError, AttributeError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError)
# What the name of a graph's file ends in.
GRAPH = ".onnx"


@dataclass(frozen=True)
class Bundle:
    """A trained model and its description."""

    # The networks, or a graph of them.
    ensemble: Ensemble | Graph
    # The least P(signal) that is accepted, at the working point.
    threshold: float
    # The false-positive rate that the threshold was fixed at.
    working_point: float
    # Study, trial, fingerprint and held-out pits of the data, metrics, seed and versions, as plain values.
    about: Mapping[str, Any]
    # What it was made from; None where version 0.1.0 wrote it.
    source: SourceData | None = None

    def score(self, crops: Grey, *, channels: Sequence[str] | None = None, pixel_um: float | None = None) -> Floats:
        """Score crops `[pits, channels, y, x]` by P(signal), `[pits]`; `threshold` says from where on one is accepted.

        Values as the microscope stored them: uint8, or uint16 where the model was made for more than 8 bits. `channels`: the
        names of the second axis, to be checked; `pixel_um`: likewise the edge of a pixel, in micrometres. Raises BundleError
        where the crops are not such as the model was made for.
        """
        check_crops(self.ensemble, crops, channels)
        check_kind(self.ensemble, self.source, ImageKind("the crops", pixel_um=pixel_um))
        return self.ensemble.scores(crops)

    def predict_proba(self, crops: Grey) -> Floats:
        """Give P(background) and P(signal) of crops, `[pits, 2]`, as scikit-learn's classifiers do; checked as by `score`."""
        p_signal = self.score(crops)
        return np.stack((1 - p_signal, p_signal), 1)

    def predict(self, crops: Grey) -> npt.NDArray[np.bool_]:
        """Tell which crops are accepted as signal at the bundle's threshold, `[pits]`; checked as by `score`."""
        accepted: npt.NDArray[np.bool_] = self.score(crops) >= self.threshold
        return accepted

    def __repr__(self) -> str:
        return f"Bundle(threshold {self.threshold:.4f} at {self.working_point:g} false positives; {self.ensemble!r})"


def model_hash(bundle: Bundle) -> str:
    """Give the SHA-256 of what scores and accepts pits: the weights, temperature and offset, and the threshold."""
    ensemble = networks_of(bundle)
    weights = hashlib.sha256(ensemble.weights()).hexdigest()
    return hash_of_model(weights, ensemble.temperature, bundle.threshold, ensemble.offset)


def content_hash(bundle: Bundle) -> str:
    """Give the SHA-256 of what scores pits, also of a graph, whose own it is."""
    if isinstance(bundle.ensemble, Graph):
        return hashlib.sha256(bundle.ensemble.content).hexdigest()
    return model_hash(bundle)


def write_bundle(folder: Path, bundle: Bundle) -> None:
    """Write weights and descriptions into an existing folder. Raises BundleError for a graph, which holds no weights."""
    ensemble = networks_of(bundle)
    weights = ensemble.weights()
    (folder / CONFIG).write_text(hub_config(ensemble) + "\n", encoding="utf-8")
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MODEL).write_text(
        json.dumps(describe_bundle(bundle, weights), indent=2, allow_nan=False) + "\n", encoding="utf-8"
    )


def networks_of(bundle: Bundle) -> Ensemble:
    """Give the networks of a bundle. Raises BundleError where it holds a graph in their place."""
    if isinstance(bundle.ensemble, Graph):
        raise BundleError("a bundle must hold its networks, but got a graph of them; give the bundle's folder.")
    return bundle.ensemble


def describe_bundle(bundle: Bundle, weights: bytes) -> dict[str, Any]:
    """Give all that `model.json` says, with the hash of it. `weights`: the networks', as they are written."""
    ensemble = networks_of(bundle)
    values = {
        "format": FORMAT,
        "config": ensemble.config.to_dict(),
        "classes": list(ensemble.config.labelling.classes),
        "channels": [{"name": c.name, "kind": c.kind, "azimuth_deg": c.azimuth_deg} for c in ensemble.lights],
        "crop": ensemble.size,
        "full_scale": ensemble.full_scale,
        "members": len(ensemble.members),
        "temperature": ensemble.temperature,
        "offset": ensemble.offset,
        "threshold": bundle.threshold,
        "working_point": bundle.working_point,
        "source": None if bundle.source is None else asdict(bundle.source),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "about": dict(bundle.about),
    }
    return seal(values)


def read_bundle(folder: str | Path) -> Bundle:
    """Read a bundle, or its graph alone, `model.onnx`.

    Raises BundleError for anything but what an export wrote, before it takes time or memory.
    """
    folder = Path(folder)
    if folder.suffix == GRAPH and not folder.is_dir():
        graph, form, about = read_graph(folder)
        return Bundle(graph, form.threshold, form.working_point, about, form.source)
    path = folder / MODEL
    try:
        form, about = read_form(read_regular(path, MOST_BYTES), path)
        check_loaded(form.about.plugins, "this model")
        config = Config.from_dict(form.config)
        _check_classes(form, config)
        made = (config, form.members, form.lights, form.crop, form.full_scale)
        stored = folder / WEIGHTS
        if not stored.exists() and (folder / FORMER_WEIGHTS).exists():
            stored = folder / FORMER_WEIGHTS
        weights = read_weights(stored, *made)
        if hashlib.sha256(weights).hexdigest() != form.weights_sha256:
            raise BundleError(
                f"{stored}: the weights must be those that were exported, but their hash differs from "
                f"{MODEL}'s; export the model again."
            )
        ensemble = with_weights(weights, *made, form.temperature, form.offset)
    except OSError as error:
        raise BundleError(
            f"{_named(error, path)}: a bundle must hold readable {MODEL} and {WEIGHTS}, but this one does not "
            f"({error.strerror or error}); check the path, or export the model again."
        ) from None
    except BundleError as error:
        said = str(error)
        raise BundleError(said if said.startswith(str(folder)) else f"{folder}: {said}") from None
    except SpaceError as error:
        raise BundleError(f"{path}: {error}") from None
    except BUILDING as error:  # parts that do not go together, in a network of any kind
        reason = " ".join(str(error).split())[:120]
        raise BundleError(f"{path}: the configuration must be one that can be built, but: {reason}; export it again.") from None
    return Bundle(ensemble, form.threshold, form.working_point, about, form.source)


def _named(error: OSError, path: Path) -> object:
    """Give the file that an error names, if it names one by its path."""
    return error.filename if isinstance(error.filename, str) else path


def _check_classes(form: BundleForm, config: Config) -> None:
    if form.classes != config.labelling.classes:
        raise BundleError(
            f"the classes must be those of the labelling scheme ({', '.join(config.labelling.classes)}), but got "
            f"({', '.join(form.classes)[:60]}); export the model again."
        )
