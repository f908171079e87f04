"""Networks by name, and which of their measures may vary. `models/networks/build.py` builds them.

To add a network, add one entry to NETWORKS and its builder of the same name in models. Any network of timm (Wightman 2019,
10.5281/zenodo.4414861) may be named `timm:NAME`; those listed are known to learn from small images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import PurePath

from spaces.choices.channels import MODES, TOLERANCE_DEG, Channels, Light, apart, used_lights
from spaces.errors import SpaceError

TIMM = "timm:"
KERNELS = (3, 5, 7)
SUFFIXES = (".safetensors", ".pth")

ACTIVATIONS: dict[str, str] = {
    "relu": "max(0, x) (Glorot, Bordes & Bengio 2011)",
    "tanh": "hyperbolic tangent, that of the network in use (LeCun et al. 1998, Efficient BackProp)",
    "gelu": "x times the normal distribution's share below x (Hendrycks & Gimpel 2016, arXiv:1606.08415)",
    "silu": "x times its logistic function (Elfwing, Uchibe & Doya 2017, arXiv:1702.03118)",
}
# Those that never fall, so that they commute with max pooling and may be taken after it, on a quarter of the values.
RISING = frozenset({"relu", "tanh"})

NORMS: dict[str, str] = {
    "batch": "each feature over the batch (Ioffe & Szegedy 2015, arXiv:1502.03167)",
    "group": "up to four groups of features within each image (Wu & He 2018, arXiv:1803.08494)",
    "none": "no norm: biases, and weights that start after He et al. (2015, arXiv:1502.01852)",
}

POOLINGS: dict[str, str] = {
    "max": "the largest of 2 x 2 (Riesenhuber & Poggio 1999, 10.1038/14819)",
    "average": "the mean of 2 x 2 (LeCun et al. 1998, 10.1109/5.726791)",
    "stride": "the convolution takes every second pixel (Springenberg et al. 2014, arXiv:1412.6806)",
}

HEADS: dict[str, str] = {
    "max": "each feature's largest value over the plane (Oquab et al. 2015, CVPR: weakly supervised localisation)",
    "average": "each feature's mean over the plane (Lin, Chen & Yan 2013, arXiv:1312.4400)",
}

OVER_LIGHTS: dict[str, str] = {
    "max": "each feature's largest value over the lights, as over the points of PointNet (Qi et al. 2017, arXiv:1612.00593)",
    "average": "each feature's mean over the lights (Zaheer et al. 2017, Deep Sets, arXiv:1703.06114)",
}

WEIGHTS: dict[str, str] = {
    "none": "weights start at random",
    "timm": "weights trained on photographs, downloaded by timm (Yosinski et al. 2014, arXiv:1411.1792, on what they bring)",
}


@dataclass(frozen=True)
class Network:
    """One network: a name of NETWORKS or `timm:NAME`, and its measures, where it has these; else they keep their defaults."""

    name: str
    # The number of blocks.
    depth: int | None = None
    # The features of the first block.
    width: int | None = None
    # Pixels of a convolution's side.
    kernel: int = 3
    activation: str = "relu"
    norm: str = "batch"
    # How a block halves the plane.
    pooling: str = "max"
    # Pooling over what is left of it.
    head: str = "max"
    # Share of the features set to 0 before the dense layer (Srivastava et al. 2014).
    dropout: float = 0.0
    # Pooling over lights.
    lights: str = "max"
    # Those of timm's networks: none, timm, or a file's path.
    weights: str = "none"

    def __post_init__(self) -> None:
        if not is_network(self.name):
            return  # Config refuses the name, with the names that there are
        varies = kind_of(self.name).varies
        for measure in ("depth", "width"):
            if measure in varies and getattr(self, measure) is None:
                raise SpaceError(f"`network.{measure}` must be given for {self.name}, but is not; give it.")
        for measure, value in self.changed():
            if measure not in varies:
                raise SpaceError(
                    f"`network.{measure}` must not be set for {self.name}, which has none, but got {value!r}; leave it out."
                )
        if self.kernel not in KERNELS:
            sizes = ", ".join(map(str, KERNELS))
            raise SpaceError(f"`network.kernel` must be one of {sizes}, but got {self.kernel}; correct it.")
        if not 0 <= self.dropout <= 0.7:
            raise SpaceError(f"`0 <= network.dropout <= 0.7` must hold, but got {self.dropout:g}; correct it.")

    def changed(self) -> list[tuple[str, str | int | float]]:
        """List the measures that have a default and differ from it."""
        return [(f.name, getattr(self, f.name)) for f in fields(self)[3:] if getattr(self, f.name) != f.default]

    def describe(self) -> str:
        """Say the network in a few words: its name, its size, and what is not as by default."""
        words = [self.name]
        words += [f"{letter}{value}" for letter, value in (("d", self.depth), ("w", self.width)) if value is not None]
        words += [WORDS[measure].format(value) for measure, value in self.changed() if measure != "weights"]
        words += [] if self.weights == "none" else [f"from {PurePath(self.weights).name}"]
        return " ".join(words)


WORDS = {
    "kernel": "k{}",
    "activation": "{}",
    "norm": "norm {}",
    "pooling": "pool {}",
    "head": "head {}",
    "dropout": "dropout {:.2g}",
    "lights": "lights {}",
}


@dataclass(frozen=True)
class NetworkKind:
    """One network."""

    meaning: str
    # The fields of Network that apply.
    varies: tuple[str, ...] = ()
    # Whether it has a 3-D form.
    volume: bool = True
    # Whether it has a 2-D form.
    flat: bool = True
    # It takes the lights as a ring, in equal steps of azimuth.
    ring: bool = False
    # Images are enlarged until their edge is a multiple of so many pixels, because the network halves it so often.
    multiple: int = 1


MEASURES = ("depth", "width", "kernel", "activation", "norm", "pooling", "head", "dropout")


def _timm(meaning: str, multiple: int = 1) -> NetworkKind:
    return NetworkKind(meaning, ("weights",), volume=False, multiple=multiple)


NETWORKS: dict[str, NetworkKind] = {
    "pitnet": NetworkKind("blocks of convolution, norm, activation and pooling, then global pooling", MEASURES),
    "minihip": NetworkKind("MoEDAL's network in use: 4 x (convolution 32, tanh, max pooling), global max pooling, dense 22"),
    "setnet": NetworkKind(
        "pitnet on each light alone, then pooling over lights, in whatever number and order (Su et al. 2015, arXiv:1505.00880)",
        (*MEASURES, "lights"),
        volume=False,
    ),
    "ringnet": NetworkKind(
        "3-D convolution that wraps around the azimuth: rolling the lights changes nothing (Cohen & Welling, arXiv:1602.07576)",
        (*MEASURES, "lights"),
        flat=False,
        ring=True,
    ),
    "timm:resnet10t": _timm("timm's smallest residual network, some thirty times the work of pitnet (arXiv:2110.00476)"),
    "timm:resnet18": _timm("residual network of 18 layers (He et al. 2015, arXiv:1512.03385)"),
    "timm:resnet26": _timm("residual network of 26 layers with bottlenecks (He et al. 2015, arXiv:1512.03385)"),
    "timm:regnetx_002": _timm("the smallest of the regular networks (Radosavovic et al. 2020, arXiv:2003.13678)"),
    "timm:convnext_atto": _timm("convolution made like a transformer, 7 x 7 (Liu et al. 2022, arXiv:2201.03545)", 32),
    "timm:mobilenetv3_small_050": _timm("for telephones, half the width (Howard et al. 2019, arXiv:1905.02244)"),
    "timm:lcnet_050": _timm("for processors without a GPU, half the width (Cui et al. 2021, arXiv:2109.15099)"),
    "timm:efficientnet_b0": _timm("depth, width and image scaled together (Tan & Le 2019, arXiv:1905.11946)"),
    "timm:tiny_vit_5m_224": _timm("a small vision transformer on convolutions (Wu et al. 2022, arXiv:2207.10666)", 32),
    "timm:vit_tiny_patch16_224": _timm("a plain vision transformer, 16 pixels a token (arXiv:2010.11929)", 32),
}
# Any other of timm's: most halve the plane five times.
OTHER_TIMM = _timm("a network of timm under its name there", 32)


def is_network(name: str) -> bool:
    """Tell whether a name is one of NETWORKS, or has the form of timm's; whether timm knows it is asked where it is built."""
    return name in NETWORKS or (str(name).startswith(TIMM) and len(name) > len(TIMM))


def is_weights(value: str) -> bool:
    """Tell whether weights are of WEIGHTS, or a file by its name."""
    return value in WEIGHTS or value.endswith(SUFFIXES)


def kind_of(name: str) -> NetworkKind:
    """Give a network's kind, listed or not."""
    return NETWORKS.get(name, OTHER_TIMM)


def check_form(network: str, mode: str) -> None:
    """Raise SpaceError where a network has no form of as many dimensions as the mode asks for."""
    kind, dims = kind_of(network), MODES[mode].dims
    if not (kind.volume if dims == 3 else kind.flat):
        own = 2 if dims == 3 else 3
        fitting = ", ".join(name for name, other in MODES.items() if other.dims == own)
        needs = f"is {own}-D and needs a mode of {fitting}"
        raise SpaceError(f"`network.name = {network}` {needs}, but got {mode!r}; leave one out.")


def fits(network: str, mode: str) -> bool:
    """Tell whether a network can see a pit as a mode shows it."""
    try:
        check_form(network, mode)
    except SpaceError:
        return False
    return True


def check_lights(network: str, channels: Channels, lights: Sequence[Light]) -> None:
    """Raise SpaceError where a network takes the lights as a ring and they do not go round in equal steps."""
    if not kind_of(network).ring:
        return
    azimuths = [lights[number].azimuth_deg for number in used_lights(channels, lights)]
    known = [azimuth for azimuth in azimuths if azimuth is not None]
    step = 360 / len(azimuths)
    following = zip(known, known[1:] + known[:1], strict=True)
    if len(known) < len(azimuths) or any(apart(first + step, second) >= TOLERANCE_DEG for first, second in following):
        got = ", ".join("none" if azimuth is None else f"{azimuth:g}" for azimuth in azimuths)
        raise SpaceError(
            f"`network.name = {network}` needs rotating lights {step:g} degrees apart, but got {got}; leave it out, or "
            "use setnet."
        )
