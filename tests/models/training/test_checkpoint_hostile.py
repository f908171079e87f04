"""A checkpoint that somebody else wrote, whole and with the right hash, is refused on one line where it is no training's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from safetensors.torch import load, save

from foils import Dataset
from models.errors import CheckpointError
from models.training import checkpoint
from models.training.checkpoint import pack_fold, restore_fold
from tests.support.checkpoints import start


@pytest.fixture(scope="module")
def packed(tiny: Dataset) -> bytes:
    training = start(tiny)
    training.advance(1)
    return pack_fold(training)


def changed(packed: bytes, change: Callable[[Any], object]) -> bytes:
    """Change the state of a checkpoint, and give it the hash of what it is now."""
    length = int.from_bytes(packed[:8], "little")
    content = json.loads(json.loads(packed[8 : 8 + length])["__metadata__"]["training"])
    change(content["state"])
    content["seal"] = checkpoint.UNSEALED
    again = save(load(packed), {"training": json.dumps(content)})
    return again.replace(checkpoint.UNSEALED.encode(), checkpoint._seal(again).encode(), 1)


def part(state: Any, *keys: str) -> Any:
    """Find a part of an encoded state by the keys of its dictionaries."""
    for key in keys:
        state = next(pair for pair in state["dict"] if pair[0] == key)
    return state


def first(value: Any, kind: str) -> Any:
    """Find the first encoded value of a kind."""
    if isinstance(value, dict) and kind in value:
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((hit for item in inner if (hit := first(item, kind)) is not None), None)


def reach_far(state: Any) -> None:
    first(state, "tensor")["strides"] = [2**40 for _ in first(state, "tensor")["strides"]]


@pytest.mark.parametrize(
    "change",
    [
        reach_far,
        lambda state: first(state, "tensor").update(strides="ab"),
        lambda state: first(state, "tensor").update(strides=[-1]),
        lambda state: first(state, "tensor").update(device="meta"),
        lambda state: first(state, "tensor").update(tensor=10**6),
        lambda state: first(state, "tensor").update(tensor=None),
        lambda state: state.update(dict=[]),
        lambda state: state.update(dict=7),
        lambda state: state["dict"].append(["more", {}]),
        lambda state: state["dict"].append(["more", {"dtype": "load"}]),
        lambda state: part(state, "progress").__setitem__(1, None),
        lambda state: part(state, "progress").__setitem__(1, {"dict": [["train_loss", [1.0]]]}),
        lambda state: part(state, "optimiser").__setitem__(1, {"dict": [["state", 1], ["param_groups", []]]}),
        lambda state: part(state, "tensors").__setitem__(1, {"dict": [["weights", "none"]]}),
        lambda state: part(part(state, "progress")[1], "train_loss").__setitem__(1, ["low"]),
        lambda state: part(part(state, "progress")[1], "train_loss").__setitem__(1, [0.1] * 99),
        lambda state: part(part(state, "progress")[1], "shares").__setitem__(1, None),
        lambda state: part(part(state, "progress")[1], "shares").__setitem__(1, {"dict": [["acceptance", [0.5]]]}),
        lambda state: part(part(part(state, "progress")[1], "shares")[1], "acceptance").__setitem__(1, ["high"]),
        lambda state: part(part(part(state, "progress")[1], "shares")[1], "acceptance").__setitem__(1, [0.5] * 99),
        lambda state: part(part(state, "progress")[1], "logits").__setitem__(1, None),
        lambda state: part(part(state, "progress")[1], "drawn").__setitem__(1, []),
        lambda state: part(part(state, "optimiser")[1], "param_groups").__setitem__(1, []),
        lambda state: part(part(state, "optimiser")[1], "param_groups")[1][0]["dict"][0].__setitem__(1, "fast"),
    ],
)
def test_a_state_of_no_training_is_refused(tiny: Dataset, packed: bytes, change: Callable[[Any], object]) -> None:
    training = start(tiny)
    before = pack_fold(training)
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*start the fold again\.$"):
        restore_fold(training, changed(packed, change))
    assert pack_fold(training) == before


def test_nothing_is_refused_for_its_hash_alone(tiny: Dataset, packed: bytes) -> None:
    restore_fold(start(tiny), changed(packed, lambda state: None))
