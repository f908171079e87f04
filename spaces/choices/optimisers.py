"""Optimisers and schedules by name, and what is done to rates, gradients and weights. `models/training` builds them.

To add an optimiser, add one entry to OPTIMISERS. Any optimiser of timm (Wightman 2019, 10.5281/zenodo.4414861) may be named
`timm:NAME`; those listed are known to learn.
"""

from __future__ import annotations

from dataclasses import dataclass

from spaces.choices.networks import TIMM
from spaces.errors import SpaceError

# The share of a training over which one-cycle's rate rises, and the shares after which step's rate falls to a tenth.
RISE, DROPS = 0.3, (0.5, 0.75)


@dataclass(frozen=True)
class Optimiser:
    """One optimiser with what is done around it, step by step."""

    # Of OPTIMISERS, or `timm:NAME`.
    name: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    # Images a step.
    batch_size: int = 64
    schedule: str = "cosine"
    # The share of the last direction that is kept, where the optimiser takes one.
    momentum: float = 0.9
    # The share of the training over which the rate rises to `learning_rate` before the schedule goes on from there.
    warmup: float = 0.0
    # The largest norm of a step's gradient, 0 for any.
    clip: float = 0.0
    # Decay of the weights' moving average, which is scored and kept in their place, 0 for none.
    average: float = 0.0

    def __post_init__(self) -> None:
        if self.warmup and self.schedule == "one-cycle":
            raise SpaceError(
                f"`optimiser.warmup = 0` must hold for one-cycle, which rises by itself, but got {self.warmup:g}; leave it out."
            )

    def describe(self) -> str:
        """Say the choice in a few words, leaving out what is as by default."""
        extras = (
            ("momentum", self.momentum, self.momentum != 0.9 and kind_of(self.name).momentum is not None),
            ("warm-up", self.warmup, self.warmup),
            ("clip", self.clip, self.clip),
            ("average", self.average, self.average),
        )
        said = [f"{self.name} {self.learning_rate:.1e}/{self.batch_size} {self.schedule}"]
        return " ".join([*said, *(f"{word} {value:g}" for word, value, is_said in extras if is_said)])


@dataclass(frozen=True)
class OptimiserKind:
    """One optimiser."""

    meaning: str
    # Timm's name for it.
    timm: str
    # What the factory calls the momentum, `momentum` or `beta1`, None where it does not vary.
    momentum: str | None = "beta1"
    # Whether one kernel takes the whole step.
    fused: bool = False
    # The learning rates at which it is worth a trial, on small networks.
    rates: tuple[float, float] = (1e-4, 2e-2)
    # Whether every weight changes by its own gradients alone, so that the weights of several trainings may be stacked into one
    # tensor. One that takes norms of tensors (LAMB) or their products (Muon) would mix the trainings.
    elementwise: bool = True


OPTIMISERS: dict[str, OptimiserKind] = {
    "sgd": OptimiserKind(
        "stochastic gradient descent with momentum (Polyak 1964, 10.1016/0041-5553(64)90137-5); without, where it is 0",
        "momentum",
        momentum="momentum",
        fused=True,
        rates=(1e-3, 3e-1),
    ),
    "nesterov": OptimiserKind(
        "the same with Nesterov's momentum (Sutskever et al. 2013, ICML)",
        "nesterov",
        momentum="momentum",
        fused=True,
        rates=(1e-3, 3e-1),
    ),
    "adam": OptimiserKind("Adam (Kingma & Ba 2015, arXiv:1412.6980), weight decay added to the gradient", "adam", fused=True),
    "adamw": OptimiserKind(
        "Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101)", "adamw", fused=True
    ),
    "nadam": OptimiserKind("Adam with Nesterov's momentum (Dozat 2016, ICLR workshop)", "nadam"),
    "nadamw": OptimiserKind("the same with decoupled weight decay (Dahl et al. 2023, arXiv:2306.07179)", "nadamw"),
    "radam": OptimiserKind("Adam with its first steps rectified (Liu et al. 2020, arXiv:1908.03265)", "radam"),
    "rmsprop": OptimiserKind(
        "gradients over their root mean square (Tieleman & Hinton 2012), with momentum (Graves 2013, arXiv:1308.0850)",
        "rmsprop",
        momentum="momentum",
    ),
    # Its two betas mix the gradient into the step and into the memory: neither is the momentum.
    "lion": OptimiserKind(
        "the sign of a momentum (Chen et al. 2023, arXiv:2302.06675); a tenth of Adam's rate", "lion", None, rates=(1e-5, 2e-3)
    ),
    "lamb": OptimiserKind(
        "Adam, each layer's step scaled to its weights (You et al. 2020, arXiv:1904.00962); clips gradients to 1 by itself",
        "lamb",
        elementwise=False,
        rates=(1e-3, 1e-1),
    ),
    "adopt": OptimiserKind("Adam that converges with any beta2 (Taniguchi et al. 2024, arXiv:2411.02853)", "adopt"),
    "muon": OptimiserKind(
        "orthogonalised momentum for matrices and convolutions (Jordan et al. 2024, kellerjordan.github.io/posts/muon), scaled "
        "to AdamW's rates (Liu et al. 2025, arXiv:2502.16982); AdamW for the rest",
        "muon",
        momentum="momentum",
        elementwise=False,
    ),
}
ELEMENTWISE = frozenset(name for name, kind in OPTIMISERS.items() if kind.elementwise)

SCHEDULES: dict[str, str] = {
    "constant": "the learning rate stays",
    "cosine": "the learning rate falls to 0 along half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983)",
    "one-cycle": "the rate rises over 0.3 of the training, then falls as cosine (Smith & Topin 2019, arXiv:1708.07120)",
    "step": "the rate falls to a tenth after 0.5 and again after 0.75 of the training (He et al. 2016, arXiv:1512.03385)",
}


def is_optimiser(name: str) -> bool:
    """Tell whether a name is one of OPTIMISERS, or has the form of timm's; whether timm knows it is asked where it is built."""
    return name in OPTIMISERS or (name.startswith(TIMM) and len(name) > len(TIMM))


def kind_of(name: str) -> OptimiserKind:
    """Give an optimiser's kind, listed or not; one that is not listed keeps timm's settings and is taken for no other."""
    return OPTIMISERS.get(name) or OptimiserKind(
        "an optimiser of timm under its name there", name.removeprefix(TIMM), momentum=None, elementwise=False
    )
