"""Pack a fold's training into bytes between two epochs, and restore it: it continues to the same numbers, bit for bit.

The bytes are safetensors: every tensor, and in the metadata the rest as JSON, under a hash of the whole; no pickle. They hold
the state of a training: weights and buffers, their averages, the optimiser's state and rates, what random numbers are drawn
from, losses, and the logits of its validation pits. What follows from task, pits and seed is computed again by the caller that
starts the training to restore; of these the bytes hold enough to recognise another training. So is the schedule: timm's
computes each rate from the number of the step and the rates that a training begins with. Knows nothing of files, nor of the
other folds.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Mapping
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from models.errors import CheckpointError
from models.training.checkpoint_values import check_state, decode, encode
from models.training.fold_training import FoldTraining
from pitsearch.typed_values import brief

FORMAT = 1
# What checkpoints of older versions do not name, as it was then.
BEFORE = {"channels.shown": 0}
# Stands for the hash while it is computed.
UNSEALED = "0" * 64
# What reading bytes that are not `pack_fold`'s may end in.
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, SafetensorError)


def pack_fold(training: FoldTraining) -> bytes:
    """Give a training that stands between two epochs as bytes. Leaves it as it is.

    Raises CheckpointError where its weights are not with it, or its optimiser keeps what no checkpoint holds.
    """
    if training.weights_detached:
        raise CheckpointError(
            "a training must have its weights when it is packed, but they are with the folds that it is trained fused with; "
            "pack it when these have reached their epoch."
        )
    tensors: list[torch.Tensor] = []
    state = {"tensors": _tensors(training), "optimiser": training.optimiser.state_dict(), "progress": training.progress()}
    content = {"seal": UNSEALED, "origin": _origin(training), "state": encode(state, tensors)}
    # Copies in the order of their axes: safetensors takes no other, and nothing that shares memory.
    copies = {
        str(number): tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for number, tensor in enumerate(tensors)
    }
    packed = save(copies, {"training": json.dumps(content, allow_nan=False)})
    return packed.replace(UNSEALED.encode(), _seal(packed).encode(), 1)


def restore_fold(training: FoldTraining, packed: bytes) -> None:
    """Bring a training that was just started to where another of the same task, pits and seed was packed.

    Raises CheckpointError, and leaves the training as it is, where the bytes are not whole, or are another training's.
    """
    theirs, encoded, tensors = _read(packed)
    theirs, ours = {**BEFORE, **theirs}, _origin(training)
    for name in {**ours, **theirs}:
        _check_same(name, theirs.get(name), ours.get(name))
    try:
        state = decode(encoded, tensors, training.task.inputs.device)
        check_state(state, training)
    except UNREADABLE as error:
        raise _unreadable(packed, error) from None
    stored, own = state["tensors"], _tensors(training)
    for name in {**own, **stored}:
        _check_same(name, _form(stored.get(name)), _form(own.get(name)))
    try:
        _take_optimiser(training.optimiser, state["optimiser"])
    except UNREADABLE as error:
        raise _unreadable(packed, error) from None
    for name, tensor in own.items():
        tensor.data = stored[name]
    training.take_progress(state["progress"])


def _tensors(training: FoldTraining) -> dict[str, torch.Tensor]:
    """Give weights and buffers, and their averages, by name: themselves, not copies."""
    parts: dict[str, nn.Module] = {"weights": training.classifier}
    if training.average is not None:
        parts["averages"] = training.average.module
    return {
        f"{part}.{name}": tensor
        for part, module in parts.items()
        for name, tensor in (*module.named_parameters(), *module.named_buffers())
        if name.partition(".")[0] not in training.derived
    }


def _take_optimiser(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """Restore the state and settings of an optimiser, and of one that it wraps."""
    optimiser.load_state_dict(dict(state))
    # torch brings a weight's state to the weight's type and device, which not all of it had.
    for number, own in optimiser.state_dict()["state"].items():
        own.clear()
        own.update(state["state"][number])


def _origin(training: FoldTraining) -> dict[str, Any]:
    """Give what a training follows from, by name, as JSON gives it back."""
    task = training.task
    labelled = (training.validate, task.targets.numpy(), task.weights.numpy(), task.is_scored)
    origin = {
        "format": FORMAT,
        "torch": torch.__version__,
        "timm": timm.__version__,
        "device": task.inputs.device.type,
        "seed": training.seed,
        "epochs": task.epochs,
        "steps": training.steps,
        "working point": task.working_point,
        "pits": hashlib.sha256(b"".join(part.tobytes() for part in labelled)).hexdigest()[:16],
    }
    for part, choice in task.config.to_dict().items():
        origin |= {f"{part}.{name}": value for name, value in choice.items()} if isinstance(choice, dict) else {part: choice}
    plain: dict[str, Any] = json.loads(json.dumps(origin))
    return plain


def _read(packed: bytes) -> tuple[dict[str, Any], Any, dict[str, torch.Tensor]]:
    """Read what `pack_fold` wrote: the origin, the state, encoded, and its tensors by number."""
    try:
        length = int.from_bytes(packed[:8], "little")
        content = json.loads(json.loads(packed[8 : 8 + length])["__metadata__"]["training"])
        if _seal(packed.replace(content["seal"].encode(), UNSEALED.encode(), 1)) != content["seal"]:
            raise ValueError("they have changed")
        return dict(content["origin"]), content["state"], load(packed)
    except UNREADABLE as error:
        raise _unreadable(packed, error) from None


def _unreadable(packed: bytes, error: Exception) -> CheckpointError:
    reason = textwrap.shorten(str(error), 80) or type(error).__name__
    return CheckpointError(
        f"a checkpoint must be what pack_fold gave, whole and unchanged, but these {len(packed)} bytes are not ({reason}); "
        "start the fold again."
    )


def _seal(packed: bytes) -> str:
    return hashlib.sha256(packed).hexdigest()


def _form(tensor: torch.Tensor | None) -> str | None:
    return None if tensor is None else f"{tensor.dtype} {[*tensor.shape]}"


def _check_same(name: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise CheckpointError(
            f"a checkpoint must be of the training that goes on from it, but its {name} is {brief(theirs)}, not {brief(ours)}; "
            "start the fold again."
        )
