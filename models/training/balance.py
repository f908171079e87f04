"""Choose which images an epoch shows, so that classes of unequal size are balanced as `spaces.choices.balance.BALANCES` says.

Images are drawn anew every epoch, so that one epoch shows what another leaves out. Knows nothing of losses; class weights act
there.
"""

from __future__ import annotations

import torch

from spaces.choices.balance import BALANCES, Balance, class_weights


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


def shown_shares(balance: Balance, counts: torch.Tensor) -> torch.Tensor:
    """Give each class's share of what the loss is shown, `[classes]`, all above 0.

    `counts`: `[classes]`, examples to train on, signal first. What a class weighs counts as if it were shown so often.
    """
    counts = counts.clamp(min=0.5)
    shown = counts * torch.tensor(class_weights(balance.name, counts.tolist()))
    shows = BALANCES[balance.name].shows
    if shows == "sampled":
        shown = torch.ones_like(counts)
    elif shows != "all":
        signals, backgrounds = max(1, round(float(counts[0]))), max(1, round(float(counts[1:].sum())))
        both = count_shown(balance, signals, backgrounds)
        # Dropping leaves signal as it is, repeating leaves background.
        share = signals / both if shows == "dropped" else 1 - backgrounds / both
        shown = torch.cat([share * shown[:1] / shown[:1].sum(), (1 - share) * shown[1:] / shown[1:].sum()])
    shares: torch.Tensor = shown / shown.sum()
    return shares


def draw_of_pits(images: torch.Tensor, shown: int, generator: torch.Generator) -> torch.Tensor:
    """Draw so many images of each pit, given those of each `[pits, images]`, in one row; without a draw where all are shown."""
    if shown == images.shape[1]:
        return images.flatten()
    drawn = torch.rand(images.shape, generator=generator).argsort(1)[:, :shown]
    return images.gather(1, drawn).flatten()


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
        # Whole rounds over the signals, then part of a last one: no signal is shown twice more than another.
        signals = signals.repeat(-(-_repeated_to(balance, len(signals), len(backgrounds)) // len(signals)))
        signals = signals[: _repeated_to(balance, len(order) - len(backgrounds), len(backgrounds))]
    both = torch.cat([signals, backgrounds])
    return both[torch.randperm(len(both), generator=generator)]


def _dropped_to(balance: Balance, signals: int, backgrounds: int) -> int:
    return min(backgrounds, max(1, round(balance.ratio * signals)))


def _repeated_to(balance: Balance, signals: int, backgrounds: int) -> int:
    return max(signals, round(backgrounds / balance.ratio))
