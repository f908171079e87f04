"""What is done about classes of unequal size. To add a way, add one entry to BALANCES."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Balance:
    """`weight_power`: a class of n of N examples, of K classes, weighs (N / (K n)) ** weight_power in the loss."""

    meaning: str
    weight_power: float


BALANCES: dict[str, Balance] = {
    "none": Balance("every example weighs the same", 0.0),
    "weighted": Balance("every class weighs the same in the loss", 1.0),
}


def class_weights(name: str, counts: Sequence[int]) -> list[float]:
    """Weigh each class in the loss, given the examples of each; a class without examples counts as one of one."""
    total = sum(counts)
    return [(total / (len(counts) * max(count, 1))) ** BALANCES[name].weight_power for count in counts]
