"""Losses by name. To add one, add one entry to LOSSES and its function in `models/training/losses.py`.

What examples of rare classes weigh is no loss of its own: class-weighted cross-entropy is `cross-entropy` under the balance
`weighted`, and so with every other loss.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """One loss of LOSSES, with what applies to it."""

    name: str = "cross-entropy"
    # The share of every target that is spread over all classes.
    smoothing: float = 0.0
    # Focal loss's gamma, how fast an example that is already right ceases to count, 0 for cross-entropy.
    focus: float = 2.0
    # The false-positive rate that an acceptance loss aims at, in working points, in all no more than 1.
    rate: float = 1.0
    # An acceptance loss's share beside cross-entropy, which alone makes scores likelihoods and tells background classes apart.
    share: float = 0.5

    def describe(self) -> list[str]:
        """Say the choice in a few words, leaving out what is as by default."""
        named = [] if self.name == "cross-entropy" else [self.name]
        default = Loss()
        return named + [
            f"{field} {getattr(self, field):g}"
            for field in LOSSES[self.name].varies
            if getattr(self, field) != getattr(default, field)
        ]


@dataclass(frozen=True)
class LossKind:
    """One loss."""

    meaning: str
    # The fields of Loss that apply.
    varies: tuple[str, ...] = ("smoothing",)


LOSSES: dict[str, LossKind] = {
    "cross-entropy": LossKind(
        "the negative log likelihood of the target (Bridle 1990); class-weighted under the balance `weighted`"
    ),
    "focal": LossKind(
        "cross-entropy of what is not yet right (Lin & al. 2017, arXiv:1708.02002)",
        ("smoothing", "focus"),
    ),
    "acceptance": LossKind(
        "the share of signal under the batch's threshold at the working point, smoothed (Eban & al. 2017, arXiv:1608.04802; "
        "Adam & al. 2021, arXiv:2002.10923), beside cross-entropy",
        ("smoothing", "rate", "share"),
    ),
    "partial-auc": LossKind(
        "ranking every signal over the hardest background, a share of it as large as the working point (Narasimhan & Agarwal "
        "2013; Zhu & al. 2022, arXiv:2203.00176), beside cross-entropy",
        ("smoothing", "rate", "share"),
    ),
}
