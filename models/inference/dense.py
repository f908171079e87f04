"""Run an ensemble over a whole frame as fully convolutional networks, for a heat map of P(signal).

The networks keep their layers and weights. Pooling beyond the wanted stride is taken at every place, and what follows it
reaches as much wider ("a trous", Holschneider et al. 1989); global pooling becomes pooling over a window as large as a crop.
Inside a crop all values are the network's own; at its edge the network was trained on a margin of zeros, where a frame goes on.
The map therefore says where to look, and what is found is scored as a crop. Knows nothing of files or hits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeGuard

import torch
from torch import nn
from torch.nn import functional

from models.inference.ensemble import Ensemble
from models.networks.blocks import MaxPool3d, pooled, with_lights
from models.networks.classifier import Classifier
from models.networks.minihip import MiniHip
from models.networks.normalisation import Normalise
from models.networks.pitnet import PitNet
from models.networks.ringnet import Neighbours, RingNet
from models.networks.setnet import SetNet
from models.scores import over_images
from spaces.choices.channels import MODES, used_lights

# Pixels between two places of the map: about half of what pits are off the middle of the crops that networks learn from.
STRIDE = 4
Networks = PitNet | MiniHip | SetNet | RingNet
_POOLS = (nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool2d, nn.AvgPool3d)
_CONVS = (nn.Conv2d, nn.Conv3d)
# What looks at single values, or at those of one channel by numbers that it has learned: the same at every place.
_PLAIN = (nn.BatchNorm2d, nn.BatchNorm3d, nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU, nn.Identity, Neighbours)


def is_dense(ensemble: object) -> TypeGuard[Ensemble]:
    """Tell whether an ensemble can be run fully convolutionally."""
    return isinstance(ensemble, Ensemble) and all(
        type(member) is Classifier
        and isinstance(member.network, Networks)
        and all(isinstance(layer, (*_PLAIN, *_POOLS, *_CONVS)) for layer in member.network.blocks)
        for member in ensemble.members
    )


class DenseScorer(nn.Module):
    """Frames `[frames, channels, y, x]` as stored in; P(signal) out, `[frames, members, rows, columns]`, float32.

    The place (row, column) is that of the crop whose left and upper edge lie `stride` times as far from the frame's. P(signal)
    of a member is calibrated as that of the ensemble is.
    """

    used: torch.Tensor

    def __init__(self, ensemble: Ensemble, members: int | None = None) -> None:
        """`members`: how many, the first; None for all."""
        super().__init__()
        config = ensemble.config
        self.members = nn.ModuleList(_DenseMember(member, ensemble.size) for member in ensemble.members[:members])
        self.register_buffer("used", torch.tensor(used_lights(config.channels, ensemble.lights)))
        self.apart, self.rule = MODES[config.channels.mode].apart, config.channels.scores
        self.temperature, self.offset = ensemble.temperature, ensemble.offset
        strides = {member.stride for member in self.members if isinstance(member, _DenseMember)}
        assert len(strides) == 1  # members are of one configuration
        self.stride, self.size = strides.pop(), ensemble.size
        self.eval()

    @property
    def planes(self) -> int:
        """How many images of one light go through a network side by side."""
        member = self.members[0]
        assert isinstance(member, _DenseMember)
        return 1 if self.apart or getattr(member.network, "dims", 3) == 2 else len(self.used)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        images = pixels.float().index_select(1, self.used)
        maps = torch.stack([self._odds(member, images) for member in self.members], 1)
        rows, columns = ((edge - self.size) // self.stride + 1 for edge in pixels.shape[2:])
        # Beyond lie places whose crops would not be on the frame.
        return torch.sigmoid(maps[..., :rows, :columns] / self.temperature + self.offset)

    def _odds(self, member: nn.Module, images: torch.Tensor) -> torch.Tensor:
        """Give a member's log-odds of signal, `[frames, rows, columns]`."""
        if not self.apart:
            odds: torch.Tensor = _log_odds(member(images))
            return odds
        # A light at a time: all at once would take ten times the memory.
        chances = torch.stack([torch.sigmoid(_log_odds(member(light))) for light in images.split(1, 1)], 1)
        # The rules are over P(signal): of background, the image with the greatest has the least.
        signal, background = over_images(self.rule, chances), -over_images(self.rule, chances - 1)
        return signal.clamp(min=1e-30).log() - background.clamp(min=1e-30).log()


def _log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Give the log-odds of the first class against all others, of logits `[frames, classes, rows, columns]`."""
    return logits[:, 0] - logits[:, 1:].logsumexp(1)


class _DenseMember(nn.Module):
    """One classifier over a frame: logits `[frames, classes, rows, columns]`."""

    def __init__(self, classifier: Classifier, size: int) -> None:
        super().__init__()
        network = classifier.eval().network
        assert isinstance(network, Networks)
        self.features, self.network, self.size = classifier.features, network, size
        self.memory_format = classifier.memory_format
        self.normalise = _DenseNormalise(classifier.normalise, size)
        self.layers, self.stride, self.spacing = _at_every_place(network.blocks)
        with torch.no_grad():
            empty = torch.zeros(1, len(classifier.normalise.deviation[0]), size, size)
            self.window = _arranged(network, network.blocks, empty).shape[-1]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = images if self.features is None else self.features(images)
        values = self.normalise(features).contiguous(memory_format=self.memory_format)
        maps = _arranged(self.network, self._run, values)
        how = "max" if isinstance(self.network, MiniHip) else self.network.over_plane
        if maps.ndim == 5:  # lights that are left
            maps = pooled(maps, how, 2)
        maps = self._over_window(maps, how)
        if isinstance(self.network, SetNet | RingNet):
            maps = pooled(maps.view(images.shape[0], -1, *maps.shape[1:]), self.network.over_lights, 1)
        return self._head(maps)

    def _run(self, values: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            values = layer(values)
        return values

    def _over_window(self, maps: torch.Tensor, how: str) -> torch.Tensor:
        """Pool `[frames, features, rows, columns]` over windows as large as a crop, rows first."""
        if how == "max" and torch.compiler.is_exporting():
            return functional.max_pool2d(maps, self.window, 1, dilation=self.spacing)
        for axis in (2, 3):
            count = maps.shape[axis] - (self.window - 1) * self.spacing
            shifted = [maps.narrow(axis, place * self.spacing, count) for place in range(self.window)]
            maps = torch.stack(shifted).amax(0) if how == "max" else torch.stack(shifted).mean(0)
        return maps

    def _head(self, maps: torch.Tensor) -> torch.Tensor:
        """Apply the dense layers at every place."""
        values = maps.movedim(1, -1)
        if isinstance(self.network, MiniHip):
            values = torch.relu(self.network.dense(values))
        logits: torch.Tensor = self.network.head(values).movedim(-1, 1)
        return logits


class _DenseNormalise(nn.Module):
    """A normalisation over frames: an average image counts by its mean, an image's own mean and deviation around each pixel."""

    def __init__(self, normalise: Normalise, size: int) -> None:
        super().__init__()
        self.over, self.full_scale, self.size = normalise.over, normalise.full_scale, size
        self.register_buffer("mean", normalise.mean.mean((2, 3), keepdim=True))
        self.register_buffer("deviation", normalise.deviation.clone())

    mean: torch.Tensor
    deviation: torch.Tensor

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = images / self.full_scale
        if self.over != "image":
            return (values - self.mean) / self.deviation
        edge = self.size // 2 * 2 + 1
        mean = functional.avg_pool2d(values, edge, 1, edge // 2, count_include_pad=False)
        square = functional.avg_pool2d(values.square(), edge, 1, edge // 2, count_include_pad=False)
        return (values - mean) / (square - mean.square()).clamp(min=0).sqrt().clamp(min=1 / self.full_scale)


def _arranged(network: Networks, run: Callable[[torch.Tensor], torch.Tensor], values: torch.Tensor) -> torch.Tensor:
    """Run blocks on values as the network's own forward lays them out."""
    if isinstance(network, SetNet | RingNet):
        return run(values.reshape(-1, 1, *values.shape[2:]))
    return run(with_lights(values, network.dims))


def _at_every_place(blocks: nn.Sequential) -> tuple[nn.ModuleList, int, int]:
    """Give layers whose map is no coarser than STRIDE, its stride, and how far apart the values of one crop lie on it."""
    layers: list[nn.Module] = []
    stride, spacing = 1, 1
    for layer in blocks:
        halves = isinstance(layer, _POOLS) or (isinstance(layer, _CONVS) and layer.stride[-1] == 2)
        dense = halves and stride >= STRIDE
        if isinstance(layer, _CONVS):
            layers.append(_Wide(layer, spacing, 1 if dense else layer.stride[-1]))
        elif isinstance(layer, _POOLS):
            layers.append(_Pool(layer, spacing, dense))
        else:
            layers.append(layer)
        if dense:
            spacing *= 2
        elif halves:
            stride *= 2
    return nn.ModuleList(layers), stride, spacing


class _Wide(nn.Module):
    """A convolution whose taps lie apart over the plane."""

    def __init__(self, conv: nn.Conv2d | nn.Conv3d, spacing: int, stride: int) -> None:
        super().__init__()
        self.conv, self.spacing, self.plane_stride = conv, spacing, stride

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        conv, plane = self.conv, (self.plane_stride, self.plane_stride)
        margin = tuple(int(each) * self.spacing for each in conv.padding[-2:])
        apart = (self.spacing, self.spacing)
        if isinstance(conv, nn.Conv2d):
            return functional.conv2d(values, conv.weight, conv.bias, plane, margin, apart)
        over_lights = int(conv.padding[0])
        return functional.conv3d(values, conv.weight, conv.bias, (conv.stride[0], *plane), (over_lights, *margin), (1, *apart))


class _Pool(nn.Module):
    """A 2 x 2 pooling, at every place where it is dense; over pairs of lights as before."""

    def __init__(self, pool: nn.Module, spacing: int, dense: bool) -> None:
        super().__init__()
        self.average = isinstance(pool, nn.AvgPool2d | nn.AvgPool3d)
        size: Any = pool.kernel_size
        self.pairs = isinstance(pool, nn.AvgPool3d | MaxPool3d) and size[0] == 2
        self.spacing, self.dense = spacing, dense

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if torch.compiler.is_exporting() and not (self.dense and self.average):
            return self._as_one(values)
        axes: Sequence[int] = (-1, -2, 2) if self.pairs else (-1, -2)
        for axis in axes:
            length = values.shape[axis]
            if self.dense and axis < 0:
                # The last places have no partner: each stands for itself, so that the map keeps its size.
                there = values.narrow(axis, 0, length - self.spacing)
                further = values.narrow(axis, self.spacing, length - self.spacing)
                joined = (there + further) / 2 if self.average else torch.maximum(there, further)
                values = torch.cat([joined, values.narrow(axis, length - self.spacing, self.spacing)], axis)
            else:
                first, second = (values[_every(values, axis, start)] for start in (0, 1))
                values = (first + second) / 2 if self.average else torch.maximum(first, second)
        return values

    def _as_one(self, values: torch.Tensor) -> torch.Tensor:
        """Pool in one operation, which takes longer than the halves of axes, but less to be written as a graph."""
        over_lights = (2 if self.pairs else 1,) * (values.ndim - 4)
        window = (*over_lights, 2, 2)
        if self.average:
            return functional.avg_pool2d(values, window) if values.ndim == 4 else functional.avg_pool3d(values, window)
        pool = functional.max_pool2d if values.ndim == 4 else functional.max_pool3d
        if not self.dense:
            return pool(values, window)
        # The last places have no partner.
        wider = functional.pad(values, (0, self.spacing, 0, self.spacing), value=-torch.inf)
        return pool(wider, window, (*over_lights, 1, 1), dilation=(*(1 for _ in over_lights), self.spacing, self.spacing))


def _every(values: torch.Tensor, axis: int, start: int) -> tuple[slice, ...]:
    """Give what picks every second value along an axis, of an even number."""
    places = [slice(None)] * values.ndim
    places[axis] = slice(start, values.shape[axis] // 2 * 2, 2)
    return tuple(places)
