"""The axes of a space: one explicit table of what may vary, over what by default, and where it applies.

Knows nothing of Optuna, files or data sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pitsearch.errors import CORRECT, did_you_mean
from spaces.bounds import BOUNDS
from spaces.choices.augmentation import PERTURBATIONS
from spaces.choices.balance import BALANCES
from spaces.choices.channels import MODES, SUBSETS
from spaces.choices.detectors import DETECTORS
from spaces.choices.labelling import SCHEMES
from spaces.choices.losses import LOSSES
from spaces.choices.networks import KERNELS, fits, kind_of
from spaces.choices.optimisers import kind_of as optimiser_of
from spaces.config import TABLES, check_name
from spaces.errors import SpaceError

Scalar = str | int | float


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included; whole if both ends are."""

    low: float
    high: float
    # Whether the logarithm is sampled.
    log: bool = False
    # Whether each optimiser takes its own part of it, the rates at which it is worth a trial; of learning rates alone.
    per_optimiser: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise SpaceError(f"`low <= high` must hold, but got (low={self.low:g}, high={self.high:g}); correct it.")
        if self.log and self.low <= 0:
            raise SpaceError(f"`low > 0` must hold on a logarithmic range, but got low={self.low:g}; correct it.")

    def within(self, low: float, high: float) -> Range:
        """Give the part between two ends; the whole where nothing of it lies there."""
        low, high = max(self.low, low), min(self.high, high)
        return Range(low, high, self.log) if low < high else Range(self.low, self.high, self.log)

    @property
    def whole(self) -> bool:
        """Tell whether the range holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Domain = tuple[Scalar, ...] | Range
Taken = Mapping[str, Scalar]


def _always(taken: Taken) -> bool:
    return True


def _is(key: str, value: Scalar) -> Callable[[Taken], bool]:
    return lambda taken: taken.get(key) == value


def _sees_signal(taken: Taken) -> bool:
    """Tell whether signal is trained on; schemes of the space's own all do."""
    scheme = SCHEMES.get(str(taken["labelling.scheme"]))
    return scheme is None or not scheme.background_only


def _asks_maybe(taken: Taken) -> bool:
    """Tell whether maybe may be trained as this or that; not where the scheme says it. One of the space's own does not."""
    scheme = SCHEMES.get(str(taken["labelling.scheme"]))
    return _sees_signal(taken) and (scheme is None or "maybe" not in scheme.classes)


def _sees_several(taken: Taken) -> bool:
    """Tell whether a network sees several lights in one image."""
    mode = MODES[str(taken["channels.mode"])]
    return mode.least > 1 and not mode.apart


def _in_its_modes(key: str) -> Callable[[Taken], bool]:
    return lambda taken: taken["channels.mode"] in MODES_OF[key]


def _featured(taken: Taken) -> bool:
    return taken["channels.mode"] in MODES_OF["channels.features"] and SUBSETS[str(taken["channels.lights"])].featured


def _for_network(field: str) -> Callable[[Taken], bool]:
    return lambda taken: field in kind_of(str(taken["network.name"])).varies


def _for_loss(field: str) -> Callable[[Taken], bool]:
    return lambda taken: _sees_signal(taken) and field in LOSSES[str(taken["loss.name"])].varies


def _has_ratio(taken: Taken) -> bool:
    return _sees_signal(taken) and BALANCES[str(taken["balance.name"])].has_ratio


@dataclass(frozen=True)
class Axis:
    """One thing that may vary."""

    meaning: str
    # The default; () where the data set gives it.
    domain: Domain
    # `least`, `most`: the bounds of a number, None for a name.
    least: float | None = None
    most: float | None = None
    whole: bool = False
    # Whether it matters, given the axes before it.
    applies: Callable[[Taken], bool] = _always
    # The field of Config that it sets.
    target: str | None = None
    # The only numbers, where they are few.
    among: tuple[int, ...] = ()
    # An axis before it, and whether a choice of this one goes with a choice of that one; None for all.
    beside: tuple[str, Callable[[str, str], bool]] | None = None


# The modes that an axis is for, where it is not for all.
MODES_OF: dict[str, tuple[str, ...]] = {
    "channels.light": ("single",),
    "channels.lights": ("examples", "stacked"),
    "channels.volume_lights": ("volume",),
    "channels.scores": ("examples",),
    "channels.shown": ("examples",),
    "channels.features": ("stacked",),
    "channels.volume_features": ("volume",),
    "augmentation.lights": ("examples", "stacked", "volume"),
    "augmentation.single": ("single",),
}


AXES: dict[str, Axis] = {
    "labelling.scheme": Axis("labelling scheme", ("binary", "three-way", "four-way")),
    "labelling.maybe": Axis("what maybe is trained as", ("left out",), applies=_asks_maybe),
    "labelling.soft_target": Axis(
        "signal's share in a soft target", (0.5,), *BOUNDS["labelling.soft_target"], applies=_is("labelling.maybe", "soft")
    ),
    "labelling.soft_weight": Axis(
        "weight of a soft target", (0.5,), *BOUNDS["labelling.soft_weight"], applies=_is("labelling.maybe", "soft")
    ),
    "labelling.style": Axis("weight of the old labelling style", ("all",)),
    "labelling.detector": Axis(
        "model of background in scheme anomaly", tuple(DETECTORS), applies=lambda taken: not _sees_signal(taken)
    ),
    "channels.mode": Axis("use of the channels", tuple(TABLES["channels.mode"])),
    "channels.light": Axis("the light of mode single", (), applies=_in_its_modes("channels.light")),
    "channels.lights": Axis("which lights", ("all",), applies=_in_its_modes("channels.lights")),
    "channels.volume_lights": Axis(
        "which lights in mode volume", ("all",), applies=_in_its_modes("channels.volume_lights"), target="channels.lights"
    ),
    "channels.scores": Axis("a pit's score in mode examples", ("mean",), applies=_in_its_modes("channels.scores")),
    "channels.shown": Axis(
        "images of a pit that an epoch shows in mode examples, drawn anew each; 0 for all",
        (2,),
        *BOUNDS["channels.shown"],
        whole=True,
        applies=_in_its_modes("channels.shown"),
    ),
    "channels.features": Axis("what a network sees of each pixel in mode stacked", ("none",), applies=_featured),
    "channels.volume_features": Axis(
        "what it sees in mode volume",
        ("none",),
        applies=_in_its_modes("channels.volume_features"),
        target="channels.features",
    ),
    # timm's networks cost more than they bring on pits of 28 pixels; a space file may name them.
    "network.name": Axis("network", ("pitnet", "minihip"), beside=("channels.mode", fits)),
    "network.depth": Axis("blocks", Range(2, 5), *BOUNDS["network.depth"], whole=True, applies=_for_network("depth")),
    "network.width": Axis(
        "channels of the first block", (8, 16, 32), *BOUNDS["network.width"], whole=True, applies=_for_network("width")
    ),
    "network.kernel": Axis(
        "pixels of a convolution's side", (3,), KERNELS[0], KERNELS[-1], True, _for_network("kernel"), among=KERNELS
    ),
    "network.activation": Axis("activation", ("relu",), applies=_for_network("activation")),
    "network.norm": Axis("norm", ("batch",), applies=_for_network("norm")),
    "network.pooling": Axis("how a block halves the plane", ("max",), applies=_for_network("pooling")),
    "network.head": Axis("pooling over the whole plane", ("max",), applies=_for_network("head")),
    "network.dropout": Axis(
        "features dropped before the dense layer", (0.0,), *BOUNDS["network.dropout"], applies=_for_network("dropout")
    ),
    "network.lights": Axis("pooling over lights", ("max",), applies=_for_network("lights")),
    "network.weights": Axis("where weights start", ("none",), applies=_for_network("weights")),
    "optimiser.name": Axis("optimiser", ("nesterov", "adam", "adamw")),
    "optimiser.learning_rate": Axis(
        "learning rate", Range(1e-4, 3e-1, log=True, per_optimiser=True), *BOUNDS["optimiser.learning_rate"]
    ),
    "optimiser.weight_decay": Axis("weight decay", Range(1e-6, 1e-2, log=True), *BOUNDS["optimiser.weight_decay"]),
    "optimiser.batch_size": Axis("images a step", (32, 64, 128), *BOUNDS["optimiser.batch_size"], whole=True),
    "optimiser.schedule": Axis("learning-rate schedule", ("constant", "cosine")),
    "optimiser.momentum": Axis(
        "momentum, of Adam and its kin beta1",
        (0.9,),
        *BOUNDS["optimiser.momentum"],
        applies=lambda taken: optimiser_of(str(taken["optimiser.name"])).momentum is not None,
    ),
    "optimiser.warmup": Axis(
        "share of the training over which the rate rises",
        (0.0,),
        *BOUNDS["optimiser.warmup"],
        applies=lambda taken: taken["optimiser.schedule"] != "one-cycle",
    ),
    "optimiser.clip": Axis("largest norm of a step's gradient, 0 for any", (0.0,), *BOUNDS["optimiser.clip"]),
    "optimiser.average": Axis("decay of the weights' moving average, 0 for none", (0.0,), *BOUNDS["optimiser.average"]),
    "loss.name": Axis("loss", ("cross-entropy",), applies=_sees_signal),
    "loss.smoothing": Axis(
        "share of a target spread over all classes", (0.0,), *BOUNDS["loss.smoothing"], applies=_for_loss("smoothing")
    ),
    "loss.focus": Axis("how fast what is right ceases to count", (2.0,), *BOUNDS["loss.focus"], applies=_for_loss("focus")),
    "loss.rate": Axis("the rate a loss aims at, in working points", (1.0,), *BOUNDS["loss.rate"], applies=_for_loss("rate")),
    "loss.share": Axis(
        "share of an acceptance loss beside cross-entropy", (0.5,), *BOUNDS["loss.share"], applies=_for_loss("share")
    ),
    "balance.name": Axis("what is done about rare classes", ("none", "weighted"), applies=_sees_signal),
    "balance.ratio": Axis("background for each signal", (2.0,), *BOUNDS["balance.ratio"], applies=_has_ratio),
    "normalisation": Axis("what is done to grey values", ("dataset", "image")),
    "augmentation.lights": Axis(
        "flips and turns where a network sees several lights",
        ("none", "symmetries"),
        applies=_in_its_modes("augmentation.lights"),
        target="augmentation.turns",
    ),
    "augmentation.single": Axis(
        "flips and turns where it sees one",
        ("none", "turned"),
        applies=_in_its_modes("augmentation.single"),
        target="augmentation.turns",
    ),
    "augmentation.shift": Axis(PERTURBATIONS["shift"], (0,), *BOUNDS["augmentation.shift"], whole=True),
    "augmentation.gain": Axis(PERTURBATIONS["gain"], (0.0,), *BOUNDS["augmentation.gain"]),
    "augmentation.noise": Axis(PERTURBATIONS["noise"], (0.0,), *BOUNDS["augmentation.noise"]),
    "augmentation.drop": Axis(PERTURBATIONS["drop"], (0.0,), *BOUNDS["augmentation.drop"], applies=_sees_several),
    "augmentation.mixup": Axis(PERTURBATIONS["mixup"], (0.0,), *BOUNDS["augmentation.mixup"], applies=_sees_signal),
}

# What the bare name of a part means: `network = "minihip"` is short for `network.name`.
SHORT = {key.partition(".")[0]: key for key in reversed(AXES) if key.endswith((".scheme", ".mode", ".name"))}


def holds(domain: Domain, value: Scalar) -> bool:
    """Tell whether a domain holds a value."""
    if not isinstance(domain, Range):
        return value in domain
    return isinstance(value, int | float) and domain.low <= value <= domain.high


def unknown_axis(key: str) -> SpaceError:
    """Refuse a key that is no axis."""
    remedy = did_you_mean(key, (*AXES, *SHORT))
    return SpaceError(
        f"`{key}` must be an axis of the space ({', '.join(AXES)}); "
        f"{f'{remedy}: ' if remedy != CORRECT else ''}correct or remove it."
    )


def check_domain(key: str, domain: Domain, own: Collection[str] = ()) -> None:
    """Check a domain against its axis; `own`: further labelling schemes. Raises SpaceError naming the key."""
    if key not in AXES:
        raise unknown_axis(key)
    axis = AXES[key]
    if isinstance(domain, Range):
        if axis.least is None:
            raise SpaceError(f"`{key}` must be a list of names, but got a range; write the names.")
        if domain.per_optimiser and key != "optimiser.learning_rate":
            raise SpaceError(f"`per_optimiser` must stand at optimiser.learning_rate alone, but stands at `{key}`; remove it.")
        ends: tuple[Scalar, ...] = (domain.low, domain.high)
    else:
        ends = domain
        if not domain:
            raise SpaceError(f"`{key}` must offer at least one choice, but got an empty list; add one or remove the key.")
        if len(set(domain)) != len(domain):
            raise SpaceError(f"`{key}` must offer each choice once, but got {list(domain)}; remove the repeated one.")
    extra = tuple(own) if key == "labelling.scheme" else ()
    for value in ends:
        if axis.least is None or axis.most is None:
            if (axis.target or key) in TABLES:
                check_name(axis.target or key, value, named=key, own=extra)
            elif not isinstance(value, str):
                raise SpaceError(f"`{key}` must be the name of a channel, but got {value!r}; correct it.")
        elif isinstance(value, str | bool) or (axis.whole and not isinstance(value, int)):
            kind = "a whole number" if axis.whole else "a number"
            raise SpaceError(f"`{key}` must be {kind}, but got {value!r}; correct it.")
        elif not axis.least <= value <= axis.most:
            raise SpaceError(f"`{axis.least:g} <= {key} <= {axis.most:g}` must hold, but got {value:g}; correct it.")
        elif axis.among and (isinstance(domain, Range) or value not in axis.among):
            got = "a range" if isinstance(domain, Range) else value
            raise SpaceError(f"`{key}` must be one of {', '.join(map(str, axis.among))}, but got {got}; list those wanted.")
