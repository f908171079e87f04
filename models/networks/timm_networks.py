"""Build networks of timm by name for small crops, with pretrained weights where the configuration names them.

An image is enlarged, by bilinear interpolation, until its edge is a multiple of what the table of networks says. A network
that is not in the table is tried once as it is built, and takes the edge that it was designed for where that
fails. Nothing random is left in the forward pass. Knows nothing of labels, normalisation or training.
"""

from __future__ import annotations

import difflib
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import lru_cache
from pickle import UnpicklingError
from typing import Any

import timm
import torch
from safetensors import SafetensorError
from timm.layers import DropPath
from timm.models import load_state_dict
from torch import nn
from torch.nn import functional

from models.networks.tiny_maps import quicken
from spaces.choices.networks import NETWORKS, TIMM, Network, kind_of
from spaces.errors import SpaceError

REACH_S = 5.0
HUB = "https://huggingface.co"
EMPTY: Mapping[str, Any] = {}
# What a file that holds no weights, or others, may end in.
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, UnpicklingError, SafetensorError)


class Enlarged(nn.Module):
    """A network whose images are enlarged to `edge` pixels first. Input `[images, channels, y, x]`."""

    def __init__(self, network: nn.Module, edge: int) -> None:
        super().__init__()
        self.network = network
        self.edge = edge

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        large = functional.interpolate(images, size=(self.edge, self.edge), mode="bilinear", align_corners=False)
        logits: torch.Tensor = self.network(large)
        return logits


def timm_network(network: Network, channels: int, classes: int, size: int, *, pretrained: bool) -> nn.Module:
    """Build a network of timm for crops of this size. `pretrained`: load the weights that the network names.

    Raises SpaceError where timm does not know the name, the network cannot take the crops, or the weights cannot be read.
    """
    _check_known(network)
    multiple = kind_of(network.name).multiple
    edge = -(-size // multiple) * multiple
    if network.name not in NETWORKS:
        edge = _first_that_fits(network, channels, classes, edge)
    module = _sized(network, channels, classes, edge)
    if pretrained and network.weights != "none":
        module = _with_weights(network, channels, classes, edge, module)
    calm(module)
    return quicken(module) if edge == size else Enlarged(quicken(module), edge)


def check_timm(network: Network, size: int) -> None:
    """Raise SpaceError where `timm_network` would, for a crop of so many pixels."""
    timm_network(network, 3, 2, size, pretrained=True)


def calm(network: nn.Module) -> None:
    """Turn off what draws random numbers on the way, dropout and dropped paths: the same training gives the same numbers."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, DropPath):
            module.drop_prob = 0.0


def _check_known(network: Network) -> None:
    name = network.name.removeprefix(TIMM)
    if not timm.is_model(name):
        close = ", ".join(TIMM + other for other in difflib.get_close_matches(name, timm.list_models(), 4, 0.5))
        remedy = f"did you mean {close}?" if close else "see timm.list_models()."
        raise SpaceError(f"`network.name = {network.name}` must be a network that timm {timm.__version__} knows; {remedy}")


def _sized(network: Network, channels: int, classes: int, edge: int, more: Mapping[str, Any] = EMPTY) -> nn.Module:
    name, own_arguments = network.name.removeprefix(TIMM), timm_arguments(network, edge)
    module: nn.Module = timm.create_model(name, in_chans=channels, num_classes=classes, **own_arguments, **more)
    return module


def timm_arguments(network: Network, edge: int) -> dict[str, Any]:
    """Give what timm builds a network with: the edge where it is part of the network, as timm's `fixed_input_size` says."""
    name = network.name.removeprefix(TIMM)
    own = timm.get_pretrained_cfg(name)
    fixed: dict[str, Any] = {"img_size": edge} if own is not None and own.fixed_input_size else {}
    if name.startswith("tiny_vit") and network.weights == "none":
        # Its windows would be filled up with some fifty times the pixels; weights that are read fit no others.
        fixed["window_sizes"] = tuple(min(most, edge // stride) for most, stride in ((7, 4), (7, 8), (14, 16), (7, 32)))
    return fixed


def _first_that_fits(network: Network, channels: int, classes: int, edge: int) -> int:
    """Find whether a network outside the table takes this edge, or else its own. Leaves torch's seed as it is."""
    name, reason = network.name.removeprefix(TIMM), ""
    own = timm.get_pretrained_cfg(name)
    edges = [edge] if own is None else [edge, int(own.input_size[-1])]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for edge in edges:
            try:
                module = _sized(network, channels, classes, edge).eval()
                logits = module(torch.zeros(2, channels, edge, edge))
            except Exception as error:  # its code may raise anything for an unsupported image or option
                reason = _line(error)
            else:
                if isinstance(logits, torch.Tensor) and logits.shape == (2, classes):
                    return edge
                reason = "it gives no logits"
    crops = f"{channels} channels of {' or '.join(map(str, edges))} pixels"
    raise SpaceError(f"`network.name = {network.name}` must take {crops}, but: {reason}; choose another.")


def _with_weights(network: Network, channels: int, classes: int, edge: int, fresh: nn.Module) -> nn.Module:
    """Build with weights of a file, or those that timm downloads: the head starts fresh, the first layer fits the channels."""
    name = network.name.removeprefix(TIMM)
    try:
        if network.weights == "timm":
            _reach_hub()
            return _sized(network, channels, classes, edge, {"pretrained": True})
        return _sized(
            network, channels, classes, edge, {"pretrained": True, "pretrained_cfg_overlay": _overlay(network, fresh)}
        )
    except UNREADABLE as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) and network.weights != "timm" else _line(error)
        remedy = (
            "with HF_HUB_OFFLINE=1 timm takes what it downloaded before; else name a local file, or none"
            if network.weights == "timm"
            else f"name a file of {name}, or none"
        )
        rule = f"`network.weights = {network.weights}` must give weights of {name}"
        raise SpaceError(f"{rule}, but: {reason}; {remedy}.") from None


def _overlay(network: Network, fresh: nn.Module) -> dict[str, Any]:
    """Describe a file's weights with a fresh head to timm as its own; every other name and shape must agree."""
    weights = dict(load_state_dict(network.weights, weights_only=True))
    own: dict[str, Any] = fresh.pretrained_cfg if isinstance(fresh.pretrained_cfg, dict) else {}
    heads = own.get("classifier") or ()
    heads = (heads,) if isinstance(heads, str) else heads
    for name, tensor in fresh.state_dict().items():
        if name.rpartition(".")[0] in heads:
            weights[name] = tensor
    firsts = own.get("first_conv") or ()
    kernel = weights.get(f"{firsts if isinstance(firsts, str) else (*firsts, '')[0]}.weight")
    channels = int(kernel.shape[1]) if kernel is not None and kernel.ndim == 4 else 3
    size = (channels, *tuple(own.get("input_size") or (3, 224, 224))[1:])
    classes = getattr(fresh, "num_classes", None)
    return {
        "state_dict": weights,
        "num_classes": classes,
        "input_size": size,
        "label_offset": 0,
        "custom_load": False,
        "source": "",
    }


@lru_cache(maxsize=1)
def _reach_hub() -> None:
    """Raise OSError at once where the hub cannot be reached; its client would retry for a minute."""
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "ON", "YES", "TRUE"):
        return
    place = os.environ.get("HF_ENDPOINT", HUB)
    try:
        urllib.request.urlopen(urllib.request.Request(place, method="HEAD"), timeout=REACH_S).close()
    except urllib.error.HTTPError as answer:
        answer.close()  # any status is an answer
    except urllib.error.URLError as error:
        raise OSError(f"{place} cannot be reached ({error.reason})") from None


def _line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:200].rstrip(".:; ") or type(error).__name__
