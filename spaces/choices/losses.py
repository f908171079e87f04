"""Losses by name. To add one, add one entry to LOSSES and its function in `models/training/losses.py`.

What examples of rare classes weigh is no loss of its own: class-weighted cross-entropy is `cross-entropy` under the balance
`weighted`, and so with every other loss.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """One loss of LOSSES, with what applies to it.

    `smoothing`: the share of every target that is spread over all classes; `focus`: focal loss's gamma, how fast an example
    that is already right ceases to count, 0 for cross-entropy; `rate`: the false-positive rate that an acceptance loss aims
    at, in working points, in all no more than 1; `share`: an acceptance loss's share beside cross-entropy, which alone makes
    scores likelihoods and tells background classes apart.
    """

    name: str = "cross-entropy"
    smoothing: float = 0.0
    focus: float = 2.0
    rate: float = 1.0
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
    """`varies`: which of the fields of Loss apply."""

    meaning: str
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
