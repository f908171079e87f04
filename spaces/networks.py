"""Networks by name, and which of their measures may vary. `models/networks.py` builds them.

To add a network, add one entry to NETWORKS and its builder of the same name in models.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """One network: a name of NETWORKS, its depth in blocks and the width of its first block, where it has these."""

    name: str = "pitnet"
    depth: int | None = None
    width: int | None = None


@dataclass(frozen=True)
class NetworkKind:
    """`varies`: which of the fields of Network apply."""

    meaning: str
    varies: tuple[str, ...] = ()


NETWORKS: dict[str, NetworkKind] = {
    "pitnet": NetworkKind("blocks of convolution, batch norm, pooling, relu; then global max pooling", ("depth", "width")),
    "minihip": NetworkKind("MoEDAL's network in use: 4 x (convolution 32, tanh, max pooling), global max pooling, dense 22"),
}
