"""Losses by name. To add one, add one entry to LOSSES and its function of the same name in `models/losses.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """One loss of LOSSES; `smoothing`: the share of every target that is spread over all classes."""

    name: str = "cross-entropy"
    smoothing: float = 0.0

    def describe(self) -> list[str]:
        """Say the choice in a few words, leaving out what is as by default."""
        named = [] if self.name == "cross-entropy" else [self.name]
        return named + ([f"smoothing {self.smoothing:g}"] if self.smoothing else [])


@dataclass(frozen=True)
class LossKind:
    """`varies`: which of the fields of Loss apply."""

    meaning: str
    varies: tuple[str, ...] = ("smoothing",)


LOSSES: dict[str, LossKind] = {
    "cross-entropy": LossKind("the negative log likelihood of the target (Bridle 1990)"),
}
