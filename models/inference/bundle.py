"""Write and read a bundle: a folder with `weights.safetensors` and `model.json`, sufficient to score pits.

No pickle: the weights are safetensors, checked against their hash before they are parsed. Knows nothing of studies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foils.description import Channel
from models.errors import BundleError
from models.inference.ensemble import Ensemble, with_weights
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.plugin_files import check_loaded
from spaces.plugins import PluginRef

FORMAT = 3
WEIGHTS, MODEL = "weights.safetensors", "model.json"


@dataclass(frozen=True)
class Bundle:
    """A trained model and its description."""

    ensemble: Ensemble
    # The least P(signal) that is accepted, at the working point.
    threshold: float
    # The false-positive rate that the threshold was fixed at.
    working_point: float
    # Study, trial, fingerprint and held-out pits of the data, metrics, seed and versions, as plain values.
    about: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Bundle(threshold {self.threshold:.4f} at {self.working_point:g} false positives; {self.ensemble!r})"


def model_hash(bundle: Bundle) -> str:
    """Give the SHA-256 of what scores and accepts pits: the weights, temperature and offset, and the threshold."""
    weights = hashlib.sha256(bundle.ensemble.weights()).hexdigest()
    parts = [weights, bundle.ensemble.temperature, bundle.threshold]
    parts += [bundle.ensemble.offset] if bundle.ensemble.offset else []  # models without one have the hash that they had
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_bundle(folder: Path, bundle: Bundle) -> None:
    """Write weights and description into an existing folder."""
    ensemble = bundle.ensemble
    weights = ensemble.weights()
    description = {
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
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "about": dict(bundle.about),
    }
    (folder / WEIGHTS).write_bytes(weights)
    (folder / MODEL).write_text(json.dumps(description, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_bundle(folder: str | Path) -> Bundle:
    """Read a bundle. Raises BundleError for a missing, changed or foreign file."""
    folder = Path(folder)
    path = folder / MODEL
    try:
        text = path.read_text(encoding="utf-8")
        weights = (folder / WEIGHTS).read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        unreadable = getattr(error, "filename", None) or path
        raise BundleError(
            f"{unreadable}: a bundle must hold readable {MODEL} and {WEIGHTS}, but this one does not; "
            "check the path, or export the model again."
        ) from None
    try:
        values = json.loads(text)
        if values["format"] != FORMAT:
            raise BundleError(
                f"{path}: this version reads bundles of format {FORMAT}, but got {values['format']}; "
                "use the version of pitsearch that wrote it."
            )
        if hashlib.sha256(weights).hexdigest() != values["weights_sha256"]:
            raise BundleError(
                f"{folder / WEIGHTS}: the weights must be those that were exported, but their hash differs from "
                f"{MODEL}'s; export the model again."
            )
        check_loaded((PluginRef(**ref) for ref in values["about"].get("plugins", ())), "this model")
        lights = tuple(Channel(**channel) for channel in values["channels"])
        ensemble = with_weights(
            weights,
            Config.from_dict(values["config"]),
            values["members"],
            lights,
            values["crop"],
            values["full_scale"],
            float(values["temperature"]),
            float(values.get("offset", 0.0)),
        )
        return Bundle(ensemble, float(values["threshold"]), float(values["working_point"]), dict(values["about"]))
    except SpaceError as error:
        raise BundleError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(f"{path}: the description must be what export wrote, but: {error!r}; export it again.") from None
