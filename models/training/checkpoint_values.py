"""Values of a checkpoint as JSON and tensors, and their checks before a training takes them. Knows nothing of bytes or hashes.

The hash of a checkpoint says that it is whole, not who wrote it: whatever it holds is checked before it is used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from models.errors import CheckpointError
from models.training.fold_training import FoldTraining

HOST = "cpu"
# Over how many times its numbers a tensor may reach in memory: a slice of one keeps its strides.
FARTHEST = 16


def encode(value: object, tensors: list[torch.Tensor]) -> Any:
    """Give a value as JSON holds it; its tensors go to the list and leave their numbers.

    A dictionary becomes a list of pairs, so that keys which are numbers stay so.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, torch.Tensor):
        tensors.append(value)
        return {"tensor": len(tensors) - 1, "strides": [*value.stride()], "device": value.device.type}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    if isinstance(value, Mapping):
        return {"dict": [[encode(key, tensors), encode(item, tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [encode(item, tensors) for item in value]
        return items if isinstance(value, list) else {"tuple": items}
    raise CheckpointError(
        f"a checkpoint must hold plain values and tensors alone, but the training keeps a {type(value).__name__}; "
        "train without checkpoints, or choose another optimiser."
    )


def decode(value: Any, tensors: Mapping[str, torch.Tensor], device: torch.device) -> Any:
    """Give back what `encode` was given: tensors with the same order in memory, on the device or on the host as they were.

    Raises ValueError, or another of what Python raises for values of the wrong kind, for anything else.
    """
    if isinstance(value, list):
        return [decode(item, tensors, device) for item in value]
    if not isinstance(value, dict):
        return value
    kind = next(iter(value), None)
    if kind == "float":
        return float(value[kind])
    if kind == "dtype":
        dtype = getattr(torch, value[kind])
        if not isinstance(dtype, torch.dtype):
            raise ValueError(f"{value[kind]} is no type of numbers")
        return dtype
    if kind == "tuple":
        return tuple(decode(value[kind], tensors, device))
    if kind == "dict":
        return {key: decode(item, tensors, device) for key, item in value[kind]}
    if kind != "tensor":
        raise ValueError(f"{kind!r} is no kind of value")
    saved, strides, on = tensors[str(value[kind])], value["strides"], value["device"]
    if on not in (HOST, device.type):
        raise ValueError(f"{on!r} is no device of this training")
    _check_strides(saved, strides)
    place = device if on == device.type else on
    return torch.empty_strided(saved.shape, strides, dtype=saved.dtype, device=place).copy_(saved)


def _check_strides(saved: torch.Tensor, strides: Any) -> None:
    """Raise ValueError for an order in memory that reaches far beyond the tensor's own numbers."""
    whole = isinstance(strides, list) and all(type(stride) is int and stride >= 0 for stride in strides)
    if not whole or len(strides) != saved.ndim:
        raise ValueError("a tensor's strides must be a whole number for each of its axes")
    reach = 1 + sum((size - 1) * stride for size, stride in zip(saved.shape, strides, strict=True) if size)
    if reach > FARTHEST * max(saved.numel(), 1):
        raise ValueError(f"a tensor of {saved.numel()} numbers must not reach over {reach}")


def check_state(state: Any, training: FoldTraining) -> None:
    """Raise ValueError, or another of what Python raises for the wrong kind, where a state is none of such a training's."""
    if set(state) != {"tensors", "optimiser", "progress"}:
        raise ValueError("a state must hold tensors, optimiser and progress")
    if not all(isinstance(tensor, torch.Tensor) for tensor in state["tensors"].values()):
        raise ValueError("weights must be tensors")
    _check_optimiser(state["optimiser"], training.optimiser.state_dict())
    _check_progress(state["progress"], training)


def _check_optimiser(stored: Any, own: Mapping[str, Any]) -> None:
    if set(stored) != set(own) or len(stored["param_groups"]) != len(own["param_groups"]):
        raise ValueError("an optimiser must have its own groups")
    for group, ours in zip(stored["param_groups"], own["param_groups"], strict=True):
        odd = [key for key, value in ours.items() if key not in group or _kind(group[key]) != _kind(value)]
        if odd or group["params"] != ours["params"]:
            raise ValueError(f"an optimiser's group must have its own settings, but not {(odd or ['params'])[0]}")
    numbers = {number for group in own["param_groups"] for number in group["params"]}
    if not set(stored["state"]) <= numbers or not all(isinstance(one, dict) for one in stored["state"].values()):
        raise ValueError("an optimiser must have a state for each of its weights")


def _check_progress(stored: Any, training: FoldTraining) -> None:
    own = training.progress()
    if {"shares", *stored} != set(own):
        raise ValueError("a progress must hold losses, logits and random numbers")
    losses = stored["train_loss"], stored["validation_loss"]
    if not all(isinstance(each, list) and all(isinstance(loss, float) for loss in each) for each in losses):
        raise ValueError("losses must be numbers")
    if len(losses[0]) != len(losses[1]) or len(losses[0]) > training.task.epochs:
        raise ValueError("there must be one loss an epoch, of training and of validation")
    shares = stored.get("shares", own["shares"])
    if set(shares) != set(own["shares"]) or not all(isinstance(each, list) for each in shares.values()):
        raise ValueError("shares must be accuracies and acceptance")
    if "shares" in stored and {len(each) for each in shares.values()} != {len(losses[0])}:
        raise ValueError("there must be one share of each kind an epoch")
    if not all(isinstance(share, float) for each in shares.values() for share in each):
        raise ValueError("shares must be numbers")
    logits, classes = stored["logits"], len(training.task.config.labelling.classes)
    shape = (len(training.validate), training.task.inputs.per_pit, classes)
    # A model of background is scored when it is asked for, any other after every epoch.
    missing = logits is None and bool(losses[0]) and not training.task.config.labelling.rule.background_only
    if missing or (logits is not None and tuple(logits.shape) != shape):
        raise ValueError(f"logits must be {list(shape)} after an epoch")
    if [_form_of(state) for state in stored["drawn"]] != [_form_of(state) for state in own["drawn"]]:
        raise ValueError("random numbers must be drawn from as many generators as the training has")


def _form_of(tensor: torch.Tensor) -> tuple[torch.dtype, torch.Size]:
    return tensor.dtype, tensor.shape


def _kind(value: object) -> str:
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
