"""Choose which images an epoch shows, so that classes of unequal size are balanced as `spaces.balance.BALANCES` says.

Drawn anew every epoch, so that what one leaves out another shows. Knows nothing of losses; class weights act there.
"""

from __future__ import annotations

import torch

from spaces.balance import BALANCES, Balance


def is_signal(targets: torch.Tensor) -> torch.Tensor:
    """Tell which examples count as signal, given their targets `[examples, classes]`; a soft one by its larger share."""
    return targets[:, 0] > 0.5


def count_shown(balance: Balance, signals: int, backgrounds: int) -> int:
    """Count the examples that an epoch shows, given those there are; a side that is empty is shown as it is."""
    shows = BALANCES[balance.name].shows
    if not signals or not backgrounds:
        return signals + backgrounds
    if shows == "dropped":
        return signals + _dropped_to(balance, signals, backgrounds)
    if shows == "repeated":
        return _repeated_to(balance, signals, backgrounds) + backgrounds
    return signals + backgrounds


def draw_shown(balance: Balance, targets: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw an epoch's order: indices of examples, given their targets `[examples, classes]`."""
    shows = BALANCES[balance.name].shows
    if shows == "sampled":
        counts = targets.sum(0)
        chances = (targets / counts.clamp(min=1e-9)).sum(1)
        return torch.multinomial(chances, len(targets), replacement=True, generator=generator)
    order = torch.randperm(len(targets), generator=generator)
    signal = is_signal(targets)[order]
    signals, backgrounds = order[signal], order[~signal]
    if shows == "all" or not len(signals) or not len(backgrounds):
        return order
    if shows == "dropped":
        backgrounds = backgrounds[: _dropped_to(balance, len(signals), len(backgrounds))]
    else:
        # Whole rounds over the signals, then as many of a last one as are wanted: no signal is shown twice more than another.
        signals = signals.repeat(-(-_repeated_to(balance, len(signals), len(backgrounds)) // len(signals)))
        signals = signals[: _repeated_to(balance, len(order) - len(backgrounds), len(backgrounds))]
    both = torch.cat([signals, backgrounds])
    return both[torch.randperm(len(both), generator=generator)]


def _dropped_to(balance: Balance, signals: int, backgrounds: int) -> int:
    return min(backgrounds, max(1, round(balance.ratio * signals)))


def _repeated_to(balance: Balance, signals: int, backgrounds: int) -> int:
    return max(signals, round(backgrounds / balance.ratio))
