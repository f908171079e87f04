"""Which images an epoch shows: as many as asked of each side, every one of them there."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from models.training.balance import count_shown, draw_shown, is_signal, shown_shares
from spaces.choices.balance import BALANCES, Balance, class_weights


def targets_of(signals: int, backgrounds: int) -> torch.Tensor:
    return one_hot(torch.tensor([0] * signals + [1] * backgrounds), 3).float()


@pytest.mark.parametrize("name", BALANCES)
@settings(deadline=None, max_examples=40, derandomize=True)
@given(signals=st.integers(0, 40), backgrounds=st.integers(0, 200), ratio=st.floats(0.5, 20.0), seed=st.integers(0, 9))
def test_an_epoch_shows_what_was_counted(name: str, signals: int, backgrounds: int, ratio: float, seed: int) -> None:
    if signals + backgrounds == 0:
        return
    balance, targets = Balance(name, ratio), targets_of(signals, backgrounds)
    order = draw_shown(balance, targets, torch.Generator().manual_seed(seed))
    assert len(order) == count_shown(balance, signals, backgrounds)
    assert order.min() >= 0
    assert order.max() < len(targets)
    again = draw_shown(balance, targets, torch.Generator().manual_seed(seed))
    assert order.tolist() == again.tolist()
    times = torch.bincount(order, minlength=len(targets))
    if name in ("none", "weighted"):
        assert times.tolist() == [1] * len(targets)
    if name == "dropped" and signals:
        assert times[:signals].tolist() == [1] * signals
        assert times.max() == 1
    if name == "repeated" and signals and backgrounds:
        assert times[signals:].tolist() == [1] * backgrounds
        assert times[:signals].max() - times[:signals].min() <= 1


def test_a_ratio_is_kept() -> None:
    targets = targets_of(10, 100)
    for name, (signals, backgrounds) in {"dropped": (10, 30), "repeated": (33, 100)}.items():
        shown = is_signal(targets[draw_shown(Balance(name, 3.0), targets, torch.Generator().manual_seed(0))])
        assert (int(shown.sum()), int((~shown).sum())) == (signals, backgrounds)


def test_sampling_shows_every_class_equally_often() -> None:
    targets = one_hot(torch.tensor([0] * 10 + [1] * 1000 + [2] * 190), 3).float()
    generator = torch.Generator().manual_seed(0)
    shown = torch.cat([targets[draw_shown(Balance("sampled"), targets, generator)] for _ in range(20)]).mean(0)
    assert shown.tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_every_epoch_drops_others() -> None:
    targets, generator = targets_of(10, 100), torch.Generator().manual_seed(0)
    seen = torch.cat([draw_shown(Balance("dropped", 1.0), targets, generator) for _ in range(100)])
    assert len(seen.unique()) == 110


@pytest.mark.parametrize("name", BALANCES)
@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_shares_are_those_of_what_is_shown(name: str, ratio: float) -> None:
    balance, generator = Balance(name, ratio), torch.Generator().manual_seed(0)
    targets = one_hot(torch.tensor([0] * 20 + [1] * 130 + [2] * 50), 3).float()
    shown = torch.cat([draw_shown(balance, targets, generator) for _ in range(200)])
    weighed = targets[shown].sum(0) * torch.tensor(class_weights(name, targets.sum(0).tolist()))
    assert shown_shares(balance, targets.sum(0)) == pytest.approx(weighed / weighed.sum(), abs=0.01)


@pytest.mark.parametrize("name", BALANCES)
@pytest.mark.parametrize("counts", [[0.0, 7.0], [7.0, 0.0], [0.3, 0.4]])
def test_shares_of_a_class_without_examples_are_above_zero(name: str, counts: list[float]) -> None:
    shares = shown_shares(Balance(name), torch.tensor(counts))
    assert (shares > 0).all()
    assert float(shares.sum()) == pytest.approx(1)
