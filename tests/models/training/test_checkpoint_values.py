"""Values and tensors come back from a checkpoint with their types and their order in memory."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training import checkpoint
from tests.support.checkpoints import assert_equal, through


def test_muon_keeps_nothing_that_no_checkpoint_holds() -> None:
    # It may not run here. Its state is that of AdamW for vectors; this is what it adds, with its settings as they are.
    state = {"use_muon": True, "momentum_buffer": torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last)}
    settings = {"ns_coefficients": "original", "betas": (0.9, 0.95), "fallback_list": None, "nesterov": True, "eps": 1e-7}
    assert_equal(through({0: state, "settings": settings}), {0: state, "settings": settings})


def test_an_optimisers_state_keeps_its_own_types() -> None:
    weight = torch.nn.Parameter(torch.zeros(2, 3))
    state = {"exact": torch.zeros(2, dtype=torch.float64), "count": 3, "way": "up", "parts": [torch.ones(1), None]}
    groups = [{"lr": 0.5, "step": torch.tensor(4), "params": [0]}]
    optimiser = torch.optim.SGD([weight], 0.1)
    checkpoint._take_optimiser(optimiser, {"state": {0: state}, "param_groups": groups})
    assert_equal(dict(optimiser.state[weight]), state)
    assert optimiser.param_groups[0]["params"][0] is weight
    assert (optimiser.param_groups[0]["lr"], int(optimiser.param_groups[0]["step"])) == (0.5, 4)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.integers() | st.text(max_size=5)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(
    st.recursive(
        PLAIN,
        lambda inner: (
            st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(KEYS, inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    assert_equal(through(value), value)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.randn(2, 3, 4, 5, 2).to(memory_format=torch.channels_last_3d),
        torch.randn(4, 1, 3, 3).to(memory_format=torch.channels_last),
        torch.randn(3, 5).T,
        torch.randn(6)[::2],
        torch.tensor(3.0),
        torch.zeros(0, 3),
        torch.randn(3).bfloat16(),
        torch.randn(3).double(),
        torch.tensor([True, False]),
        torch.tensor([math.nan, -math.inf, -0.0, 1e-45]),
        torch.arange(3),
    ],
    ids=lambda tensor: f"{tensor.dtype} {[*tensor.shape]} {tensor.stride()}",
)
def test_tensors_come_back_with_their_type_and_order_in_memory(tensor: torch.Tensor) -> None:
    assert_equal(through([tensor, torch.bfloat16]), [tensor, torch.bfloat16])
