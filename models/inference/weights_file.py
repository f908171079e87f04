"""Read a bundle's weights: what the file says that it holds is compared with the configuration before its bytes are read.

A safetensors file begins with the names, types and shapes of its tensors. The configuration's own are those of a network that
is built on torch's meta device, which holds shapes and no numbers: neither a wrong file nor a huge configuration takes memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from cattrs import Converter

from models.errors import BundleError
from models.inference.ensemble import empty_member
from pitsearch.json_text import parse_json
from pitsearch.regular_file import read_regular
from pitsearch.typed_values import MISFITS, Between, reason_of, strict
from spaces.choices.channels import Light
from spaces.config import Config

# Bytes of what a file says about itself, and of what each member has fitted to background, which no configuration tells.
MOST_HEADER, MOST_FITTED = 4 * 2**20, 2**28
# Bytes of a number by the name of its type in safetensors, and torch's type.
TYPES = {
    "F64": (8, torch.float64),
    "F32": (4, torch.float32),
    "F16": (2, torch.float16),
    "BF16": (2, torch.bfloat16),
    "I64": (8, torch.int64),
    "I32": (4, torch.int32),
    "I16": (2, torch.int16),
    "I8": (1, torch.int8),
    "U8": (1, torch.uint8),
    "BOOL": (1, torch.bool),
}
Size = Annotated[int, Between(0, 2**40)]


@dataclass(frozen=True)
class TensorForm:
    """What a safetensors file says of one tensor."""

    dtype: Literal["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL"]
    shape: tuple[Size, ...]
    data_offsets: tuple[Size, Size]


_CONVERTER = strict(Converter(detailed_validation=True), forbid_extra_keys=True)


def read_weights(path: Path, config: Config, members: int, lights: Sequence[Light], size: int, full_scale: int) -> bytes:
    """Read a weights file that fits a configuration. Raises BundleError where it does not, OSError where it cannot be read."""
    own = _shapes(config, lights, size, full_scale)
    fitted = MOST_FITTED if config.labelling.rule.background_only else 0
    content = read_regular(path, members * (sum(tensor.nbytes for tensor in own.values()) + fitted) + MOST_HEADER)
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise _unfit("its first bytes must say what the file holds")
    stored, end = _read_header(content[8 : 8 + length])
    _compare(stored, own, members, exact=not fitted)
    if len(content) != 8 + length + end:
        raise _unfit(f"the tensors must have {end} bytes, but there are {len(content) - 8 - length}")
    return content


def _shapes(config: Config, lights: Sequence[Light], size: int, full_scale: int) -> dict[str, torch.Tensor]:
    """Give a member's tensors by name, shapes without numbers where the network can be built so."""
    try:
        with torch.device("meta"):
            return empty_member(config, lights, size, full_scale).state_dict()
    except (RuntimeError, NotImplementedError):  # a plugin's network may compute with numbers while it is built
        return empty_member(config, lights, size, full_scale).state_dict()


def _read_header(header: bytes) -> tuple[dict[str, TensorForm], int]:
    """Read what a file says of its tensors, and where the last one ends."""
    try:
        table: Any = parse_json(header)
        table.pop("__metadata__", None)
        stored = _CONVERTER.structure(table, dict[str, TensorForm])
        for name, form in stored.items():
            begin, end = form.data_offsets
            if end - begin != TYPES[form.dtype][0] * math.prod(form.shape):
                raise ValueError(f"`{name[:60]}` must have as many bytes as its shape asks for")
    except MISFITS as error:
        raise _unfit(reason_of(error)) from None
    return stored, max((form.data_offsets[1] for form in stored.values()), default=0)


def _compare(stored: Mapping[str, TensorForm], own: Mapping[str, torch.Tensor], members: int, *, exact: bool) -> None:
    """Raise BundleError where the tensors of a file are not those of so many members; `exact`: in all of their shapes."""
    wanted = {f"{number}.{name}" for number in range(members) for name in own}
    if wanted != stored.keys():
        odd = min(wanted ^ stored.keys())
        raise _unfit(
            f"{members} members hold {len(wanted)} tensors and the file {len(stored)}, and {odd[:60]!r} is not in both"
        )
    for name, form in stored.items():
        tensor = own[name.partition(".")[2]]
        alike = form.shape == tuple(tensor.shape) if exact else len(form.shape) == tensor.ndim
        if not alike or TYPES[form.dtype][1] != tensor.dtype:
            raise _unfit(f"{name[:60]!r} must be {tensor.dtype} {[*tensor.shape]}, but is {form.dtype} {[*form.shape][:8]}")


def _unfit(reason: str) -> BundleError:
    return BundleError(f"the weights must fit the configuration, but: {reason}; export the model again.")
