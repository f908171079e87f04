"""Define what the pits of a data set are learned as: a `Task`, the same for every fold.

Knows nothing of folds or of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from foils.dataset import Dataset
from models.inputs import Inputs, lay_out
from spaces.choices.channels import Light
from spaces.choices.networks import check_lights
from spaces.config import Config

LEFT_OUT = -1
QUARTERS = 4
# A label with fewer pits is learned together with the others as rare; a fold's training half has four fifths of them.
LEAST_PITS = 20


@dataclass(frozen=True)
class Task:
    """What the pits are learned as."""

    config: Config
    # Images of all pits.
    inputs: Inputs
    # `[pits, classes]`: the share of each class, summing to 1.
    targets: torch.Tensor
    # `[pits]`: 0 for those not trained on.
    weights: torch.Tensor
    # `[pits]`: the class of each; LEFT_OUT where its target is soft, or its weight 0 in a scheme that trains on signal.
    classes: torch.Tensor
    # `[pits]`.
    is_signal: npt.NDArray[np.bool_]
    # `[pits]`.
    is_scored: npt.NDArray[np.bool_]
    # Channels of the data set.
    lights: Sequence[Light]
    # Length of a whole training.
    epochs: int
    # False-positive rate at which acceptance is quoted.
    working_point: float
    # `[pits]`: the numbered labels of background, in a scheme of background alone; None in every other.
    kinds: torch.Tensor | None = None

    @property
    def shown(self) -> int:
        """How many images of each pit an epoch shows."""
        return min(self.config.channels.shown or self.inputs.per_pit, self.inputs.per_pit)

    @property
    def answers(self) -> int:
        """How many answers there are to what a network of background alone learns: of which label, turned how."""
        return 0 if self.kinds is None else QUARTERS * (int(self.kinds.max()) + 1)


def make_task(data: Dataset, config: Config, *, epochs: int, working_point: float, device: str = "cpu") -> Task:
    """Make the task of a configuration on a data set, with the images on a device.

    Raises SpaceError where the data do not allow it.
    """
    description = data.description
    check_lights(config.network.name, config.channels, description.channels)
    labelling = config.labelling
    weighted_targets = [labelling.target(pit.label, pit.style, description.signal, description.ignore) for pit in data.pits]
    targets, weights = (
        torch.tensor([target for target, _ in weighted_targets]),
        torch.tensor([weight for _, weight in weighted_targets]),
    )
    alone = labelling.rule.background_only
    # Signal that is never trained on still has a class, by which a training is judged.
    hard = (targets.amax(1) == 1) & ((weights > 0) | torch.from_numpy(alone & data.is_signal))
    inputs = lay_out(data.pixels, config.channels, description.channels, rows=data.rows, augmentation=config.augmentation.turns)
    return Task(
        config=config,
        inputs=replace(inputs, full_scale=data.full_scale).to(torch.device(device)),
        targets=targets,
        weights=weights,
        classes=torch.where(hard, targets.argmax(1), LEFT_OUT),
        is_signal=data.is_signal,
        is_scored=data.is_scored,
        lights=description.channels,
        epochs=epochs,
        working_point=working_point,
        kinds=number_kinds(data.labels, weights.numpy() > 0) if alone else None,
    )


def number_kinds(labels: npt.NDArray[np.str_], trained: npt.NDArray[np.bool_]) -> torch.Tensor:
    """Number the background's labels, `[pits]`, alike those with fewer than LEAST_PITS pits; all 0 where one has more.

    `labels`: `[pits]`; `trained`: `[pits]`, which are trained on. Pits that are not have the number 0.
    """
    names, counts = np.unique(labels[trained], return_counts=True)
    common = list(names[counts >= LEAST_PITS])
    if len(common) < 2:
        return torch.zeros(len(labels), dtype=torch.int64)
    numbers = [common.index(label) if label in common else len(common) for label in labels]
    return torch.from_numpy(np.where(trained, numbers, 0))
