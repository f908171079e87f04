"""What is no checkpoint of a training is refused on one line, and leaves the training as it is."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from foils import Dataset
from models.errors import CheckpointError
from models.training.checkpoint import pack_fold, restore_fold
from models.training.fold_training import FoldTraining
from spaces.choices.networks import Network
from tests.support.checkpoints import start
from tests.support.trainings import SMALL


def test_what_no_checkpoint_holds_is_refused_on_one_line(tiny: Dataset) -> None:
    training = start(tiny)
    training.optimiser.param_groups[0]["probability"] = math.sqrt
    with pytest.raises(CheckpointError, match=r"^a checkpoint must hold plain .* keeps a builtin_function_or_method; .*\.$"):
        pack_fold(training)


@pytest.fixture(scope="module")
def packed(tiny: Dataset) -> bytes:
    training = start(tiny)
    training.advance(1)
    return pack_fold(training)


def assert_refused(training: FoldTraining, packed: bytes, told: str) -> None:
    """Check that bytes are refused on one line and leave a training as it is."""
    before = pack_fold(training)
    with pytest.raises(CheckpointError) as caught:
        restore_fold(training, packed)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("a checkpoint must be ")
    assert told in str(caught.value)
    assert str(caught.value).endswith("; start the fold again.")
    assert pack_fold(training) == before


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.data())
def test_bytes_that_are_cut_short_or_changed_are_refused(tiny: Dataset, packed: bytes, data: st.DataObject) -> None:
    # As often in the header as in what follows.
    header = 8 + int.from_bytes(packed[:8], "little")
    place = data.draw(st.integers(0, header) | st.integers(0, len(packed) - 1), "place")
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*$"):
        restore_fold(start(tiny), packed[:place])
    flipped = packed[place] ^ data.draw(st.integers(1, 255), "flipped")
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*$"):
        restore_fold(start(tiny), packed[:place] + bytes([flipped]) + packed[place + 1 :])


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda rest: len(rest).to_bytes(8, "little") + rest))
def test_random_bytes_are_refused(tiny: Dataset, noise: bytes) -> None:
    with pytest.raises(CheckpointError, match=r"^a checkpoint must be [^\n]*$"):
        restore_fold(start(tiny), noise)


def test_what_is_no_checkpoint_is_refused_and_changes_nothing(tiny: Dataset, packed: bytes) -> None:
    training = start(tiny)
    told = "must be what pack_fold gave, whole and unchanged, but these"
    for other in (b"", packed[:-1], packed + b"0", packed[:100], save({"0": torch.zeros(2)}), save({}, {"training": "[]"})):
        assert_refused(training, other, told)
    assert_refused(training, packed[: len(packed) // 2], f"{len(packed) // 2} bytes are not (")


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"seed": 1}, "its seed is"),
        ({"fold": 1}, "its seed is"),
        ({"epochs": 4}, "its epochs is 3, not 4"),
        ({"config": replace(SMALL, network=Network("pitnet", depth=2, width=5))}, "its network.width is 4, not 5"),
        ({"config": replace(SMALL, network=Network("minihip"))}, "its network.name is 'pitnet', not 'minihip'"),
        ({"config": replace(SMALL, optimiser=replace(SMALL.optimiser, learning_rate=1e-3))}, "is 0.003, not 0.001"),
        ({"config": replace(SMALL, optimiser=replace(SMALL.optimiser, average=0.5))}, "optimiser.average is 0.0, not 0.5"),
        ({"config": replace(SMALL, normalisation="image")}, "normalisation is 'dataset', not 'image'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_checkpoint_of_another_training_is_refused(tiny: Dataset, packed: bytes, other: dict[str, Any], told: str) -> None:
    assert_refused(start(tiny, **other), packed, told)


def test_a_checkpoint_of_other_pits_weights_or_versions_is_refused(
    tiny: Dataset, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = start(tiny)
    weights = training.task.weights.clone()
    weights[int(training.validate[0])] = 0.5
    task, training.task = training.task, replace(training.task, weights=weights)
    assert_refused(training, packed, "its pits is")
    training.task = task
    training.classifier.network.register_buffer("more", torch.zeros(2))
    assert_refused(training, packed, "its weights.network.more is None, not 'torch.float32 [2]'")
    monkeypatch.setattr(torch, "__version__", "0.1")
    assert_refused(start(tiny), packed, "not '0.1'")
    monkeypatch.undo()
    restore_fold(start(tiny), packed)
