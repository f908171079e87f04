"""What is done about classes of unequal size. To add a way, add one entry to BALANCES.

Weights act in the loss, the others on which examples an epoch shows; all act on the training half alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Balance:
    """One way of BALANCES."""

    name: str = "none"
    # Background examples for each of signal that an epoch is brought to, where it applies.
    ratio: float = 1.0

    def describe(self) -> list[str]:
        """Say the choice in a few words, leaving out what is as by default."""
        if self.name == "none":
            return []
        return [f"{self.name} 1:{self.ratio:g}" if BALANCES[self.name].has_ratio else self.name]


@dataclass(frozen=True)
class BalanceKind:
    """One way."""

    meaning: str
    # A class of n of N examples, of K classes, weighs (N / (K n)) ** weight_power in the loss.
    weight_power: float = 0.0
    # Which examples an epoch shows: all once, `sampled` with replacement so that classes come equally often, background
    # `dropped` down to the ratio, signal `repeated` up to it.
    shows: str = "all"

    @property
    def has_ratio(self) -> bool:
        """Tell whether the ratio applies."""
        return self.shows in ("dropped", "repeated")


BALANCES: dict[str, BalanceKind] = {
    "none": BalanceKind("every example weighs the same"),
    "weighted": BalanceKind("every class weighs the same in the loss (King & Zeng 2001, Political Analysis 9)", 1.0),
    "sampled": BalanceKind("examples drawn with replacement, every class equally often", shows="sampled"),
    "dropped": BalanceKind("background dropped at random down to a ratio (He & Garcia 2009, TKDE 21)", shows="dropped"),
    "repeated": BalanceKind("signal repeated up to a ratio, each time augmented anew", shows="repeated"),
}


def class_weights(name: str, counts: Sequence[float]) -> list[float]:
    """Weigh each class in the loss, given the examples of each; a class without examples counts as one of one."""
    total = sum(counts)
    return [(total / (len(counts) * max(count, 1))) ** BALANCES[name].weight_power for count in counts]
