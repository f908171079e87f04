"""Parts of configurations that tests go through: every network in its modes, every optimiser, every perturbation."""

from __future__ import annotations

from typing import Any

from models.process import bfloat16_works
from spaces.choices.channels import MODES, Channels
from spaces.choices.networks import NETWORKS, TIMM, Network
from spaces.choices.optimisers import OPTIMISERS

# A small one of each network of our own.
NAMED = {
    "pitnet": Network("pitnet", depth=3, width=4),
    "minihip": Network("minihip"),
    "setnet": Network("setnet", depth=3, width=4),
    "ringnet": Network("ringnet", depth=3, width=4),
}
OURS = [name for name in NETWORKS if not name.startswith(TIMM)]


def has_form(network: str, mode: str) -> bool:
    """Tell whether a network is 3-D or 2-D as a mode's images are."""
    kind = NETWORKS[network]
    return kind.volume if MODES[mode].dims == 3 else kind.flat


# Networks of our own, each with every mode whose images it takes.
FORMS = [(network, mode) for network in OURS for mode in MODES if has_form(network, mode)]


def channels_of(mode: str) -> Channels:
    """Give the channels of a mode: the first light where it takes one."""
    return Channels(mode, "1" if mode == "single" else None)


# What timm lists and nothing of which works here: other libraries' and second derivatives.
ELSEWHERE = ("fused*", "bnb*", "adahessian")
# Where bfloat16 kills the process, there is one less.
USABLE = [name for name in OPTIMISERS if name != "muon" or bfloat16_works()]
# A middling amount of each perturbation.
AMOUNTS: dict[str, Any] = {"shift": 2, "gain": 0.2, "noise": 0.05, "drop": 0.3, "mixup": 0.4}
