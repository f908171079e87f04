"""The `config.json` of a bundle, in the layout that timm writes for Hugging Face's hub, so that its tensors find their network.

A network of timm is named as timm knows it, with the arguments that build it; one of ours by its name in `NETWORKS`. Whoever
reads `model.json` needs nothing of this. Knows nothing of folders.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from models.inference.ensemble import Ensemble
from models.networks.timm_networks import Enlarged, timm_arguments
from spaces.choices.networks import TIMM

# The file's name.
CONFIG = "config.json"
LIBRARY = "pitsearch"


def hub_config(ensemble: Ensemble) -> str:
    """Describe an ensemble's network, its input and its tensors, JSON.

    `tensors` says how those of the network are named. `mean` and `std`, of stored values divided by `full_scale`, are means
    over the members; a member's own are `{member}.normalise.mean` and `{member}.normalise.deviation` in the weights.
    """
    member, classes = ensemble.members[0], list(ensemble.config.labelling.classes)
    own = ensemble.config.network.name
    name, network = _network(member) if own.startswith(TIMM) else ("network", None)
    means, deviations = (
        torch.stack([getattr(one.normalise, buffer).mean((0, 2, 3)) for one in ensemble.members]).double().mean(0)
        for buffer in ("mean", "deviation")
    )
    edge = member.get_submodule(name.rpartition(".")[0])
    size = edge.edge if isinstance(edge, Enlarged) else ensemble.size
    return json.dumps(
        {
            "architecture": own.removeprefix(TIMM),
            "num_classes": len(classes) if network is None else network.num_classes,
            **({} if network is None else _timm_part(ensemble, network, len(means), size)),
            "label_names": classes,
            "pretrained_cfg": {
                "input_size": [len(means), size, size],
                "fixed_input_size": True,
                "interpolation": "bilinear",
                "crop_pct": 1.0,
                "mean": means.tolist(),
                "std": deviations.tolist(),
                "num_classes": len(classes) if network is None else network.num_classes,
            },
            "library_name": LIBRARY,
            "library_version": version(LIBRARY),
            "members": len(ensemble.members),
            "tensors": f"{{member}}.{name}.{{name}}",
            "channels": [light.name for light in ensemble.lights],
            "crop": ensemble.size,
            "full_scale": ensemble.full_scale,
            "configuration": ensemble.config.to_dict(),
            "description": "model.json",
        },
        indent=2,
        allow_nan=False,
    )


def _network(member: nn.Module) -> tuple[str, Any]:
    """Find timm's own module in a member, and the name that it has there."""
    return next((name, module) for name, module in member.named_modules() if hasattr(module, "pretrained_cfg"))


def _timm_part(ensemble: Ensemble, network: Any, channels: int, edge: int) -> dict[str, Any]:
    pool = getattr(network, "global_pool", None)
    return {
        "num_features": network.num_features,
        **({"global_pool": pool} if isinstance(pool, str) else {}),
        "model_args": {"in_chans": channels, **timm_arguments(ensemble.config.network, edge)},
        "timm_version": version("timm"),
    }
