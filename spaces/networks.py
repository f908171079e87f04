"""Networks by name, and which of their measures may vary. `models/networks.py` builds them.

To add a network, add one entry to NETWORKS and its builder of the same name in models.
"""

from __future__ import annotations

from dataclasses import dataclass

from spaces.errors import SpaceError


@dataclass(frozen=True)
class Network:
    """One network: a name of NETWORKS, its depth in blocks and the width of its first block, where it has these."""

    name: str
    depth: int | None = None
    width: int | None = None

    def __post_init__(self) -> None:
        for measure in NETWORKS[self.name].varies if self.name in NETWORKS else ():
            if getattr(self, measure) is None:
                raise SpaceError(f"`network.{measure}` must be given for {self.name}, but is not; give it.")


@dataclass(frozen=True)
class NetworkKind:
    """`varies`: which of the fields of Network apply; `volume`: whether it has a 3-D form."""

    meaning: str
    varies: tuple[str, ...] = ()
    volume: bool = True


NETWORKS: dict[str, NetworkKind] = {
    "pitnet": NetworkKind("blocks of convolution, batch norm, pooling, relu; then global max pooling", ("depth", "width")),
    "minihip": NetworkKind("MoEDAL's network in use: 4 x (convolution 32, tanh, max pooling), global max pooling, dense 22"),
    "resnet10t": NetworkKind("timm's smallest residual network, some thirty times the work of pitnet", volume=False),
}
