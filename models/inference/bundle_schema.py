"""The schema of a bundle's `model.json`: the type of every value and the bounds of every number, read by cattrs.

A bundle may be anybody's file. `model.json` holds a hash of all that it says, from format 4 on. Knows nothing of weights.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cattrs import Converter

from foils.description import Channel
from models.errors import BundleError
from pitsearch.json_text import parse_json
from pitsearch.typed_values import MISFITS, Between, Matching, Sha256, brief, reason_of, strict
from spaces.plugins import PluginRef

# The file's name.
MODEL = "model.json"
# That of the weights beside it, as the hub expects it, and the one that it had before.
WEIGHTS, FORMER_WEIGHTS = "model.safetensors", "weights.safetensors"
FORMAT = 4
# Written by version 0.1.0, without a hash of all, and without the data that the model was made from.
FORMATS = (3, FORMAT)
HASH = "sha256"

# They reach tables and pages of whoever runs the model; those of lights are part of files' names.
Name = Annotated[
    str,
    Matching(
        r"(?![=@]|[+-](?![0-9.,]*\Z))[^\x00-\x1f\x7f]{1,255}", "1 to 255 printable characters and no formula of a spreadsheet"
    ),
]
LightName = Annotated[str, Matching(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}", "1 to 255 letters, digits, '.', '_' or '-'")]
Positive = Annotated[float, Between(1e-9, 1e9)]


@dataclass(frozen=True)
class SourceData:
    """The data that a model was made from."""

    # The name of the data set.
    name: Name
    # The label that the data set calls its signal.
    signal: Name
    # The edge of a pixel, in micrometres; None where the data set does not say.
    pixel_um: Positive | None = None
    # The slides that the held-out pits lie on, as `foil:slide`.
    held_out_slides: tuple[str, ...] = ()


@dataclass(frozen=True)
class LightForm:
    """A channel of the images that the model scores."""

    name: LightName
    kind: Literal["rotating", "backlit", "halo"]
    azimuth_deg: Annotated[float, Between(0.0, 360.0)] | None


@dataclass(frozen=True)
class AboutForm:
    """What is known of the model's origin; keys that are not listed may hold any plain value."""

    study: str | None = None
    trial: Annotated[int, Between(0, 10**9)] | None = None
    final: str | None = None
    model_sha256: Annotated[str, Matching("([0-9a-f]{64})?", "64 hexadecimal digits, or empty")] | None = None
    seed: Annotated[int, Between(-(2**63), 2**64)] | None = None
    fingerprint: str | None = None
    held_out_pits: tuple[str, ...] = ()
    searched_pits: Annotated[int, Between(0, 10**9)] | None = None
    # Hashes of the pixels of the pits that the search saw.
    searched_pixels: tuple[str, ...] = ()
    plugins: tuple[PluginRef, ...] = ()
    metrics: Mapping[str, Any] | None = None
    versions: Mapping[str, str] | None = None


@dataclass(frozen=True)
class BundleForm:
    """All that `model.json` says."""

    format: int
    # As `Config.to_dict` gives it.
    config: Mapping[str, Any]
    classes: tuple[Name, ...]
    channels: tuple[LightForm, ...]
    crop: Annotated[int, Between(8, 1024)]
    # Of 8 bits, or of as many of 16 as the camera has.
    full_scale: Literal[255, 511, 1023, 2047, 4095, 8191, 16383, 32767, 65535]
    members: Annotated[int, Between(1, 1000)]
    temperature: Annotated[float, Between(1e-3, 1e3)]
    # The least threshold that accepts nothing lies just above 1.
    threshold: Annotated[float, Between(0.0, math.nextafter(1.0, 2.0))]
    working_point: Annotated[float, Between(1e-9, 1.0)]
    weights_sha256: Sha256
    about: AboutForm
    source: SourceData | None = None
    # None before format 4.
    offset: Annotated[float, Between(-1e3, 1e3)] = 0.0

    @property
    def lights(self) -> tuple[Channel, ...]:
        """The channels as a data set describes them."""
        return tuple(Channel(light.name, light.kind, light.azimuth_deg) for light in self.channels)


# Unknown keys at the top are a newer version's, and may change what a model is; those under `about` change nothing.
_ABOUT = strict(Converter(detailed_validation=True))
_CONVERTER = strict(Converter(detailed_validation=True), forbid_extra_keys=True)
_CONVERTER.register_structure_hook(AboutForm, lambda values, _: _ABOUT.structure(values, AboutForm))


def seal(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values of a `model.json` with the hash of them all."""
    return {**values, HASH: _hash(values)}


def read_form(text: str | bytes, where: object) -> tuple[BundleForm, dict[str, Any]]:
    """Read `model.json`, and give the plain values of its `about` beside it.

    `where`: the file, for the error. Raises BundleError where it is not what `export` wrote.
    """
    try:
        values = parse_json(text)
        if not isinstance(values, dict):
            raise ValueError(f"it must be a table, but is a {type(values).__name__}")
        _check_format(values.get("format"), where)
        expected = values.pop(HASH, None)
        if values["format"] == FORMAT and expected != _hash(values):
            raise BundleError(
                f"{where}: the description must be as it was exported, but its hash differs from its content; export the model "
                "again."
            )
        form = _CONVERTER.structure(values, BundleForm)
        _check_channels(form)
        _check_model_hash(form)
        return form, dict(values["about"])
    except BundleError:
        raise
    except MISFITS as error:
        raise BundleError(
            f"{where}: the description must be what export wrote, but: {reason_of(error)}; export it again."
        ) from None


def hash_of_model(weights_sha256: str, temperature: float, threshold: float, offset: float) -> str:
    """Give the SHA-256 of what scores and accepts pits: the weights, the calibration and the threshold."""
    parts = [weights_sha256, temperature, threshold]
    parts += [offset] if offset else []  # models without one have the hash that they had
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _hash(values: Mapping[str, Any]) -> str:
    """Hash plain values, whatever the order and the blanks they are written with."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()


def _check_format(number: object, where: object) -> None:
    if number not in FORMATS or isinstance(number, bool):
        raise BundleError(
            f"{where}: this version reads bundles of format {' and '.join(map(str, FORMATS))}, but got {brief(number)}; "
            "use the version of pitsearch that wrote it."
        )


def _check_channels(form: BundleForm) -> None:
    names = [light.name for light in form.channels]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"`channels` must list at least one channel, each name once, but got {brief(names)}")
    for light in form.channels:
        if (light.kind == "rotating") != (light.azimuth_deg is not None):
            raise ValueError(f"`channels` must give rotating lights an azimuth, and no others, but got {brief(light)}")


def _check_model_hash(form: BundleForm) -> None:
    """Compare the hash of the model that its study knows it by: all that format 3 has beside that of the weights."""
    known = form.about.model_sha256
    if known and known != hash_of_model(form.weights_sha256, form.temperature, form.threshold, form.offset):
        raise ValueError("`about.model_sha256` must be of these weights, temperature and threshold, but is not")
