"""The training curve of a fold: losses, accuracies and acceptance, one value an epoch. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

# What is recorded at the end of an epoch beside the losses, each a share from 0 to 1.
SHARES = ("train_accuracy", "validation_accuracy", "acceptance")
LOSSES = ("train_loss", "validation_loss")
VALUES = (*LOSSES, *SHARES)


@dataclass(frozen=True)
class TrainingCurve:
    """The course of one training; a fold that was started again has one for each start."""

    fold: int
    # 0 for the first training of the fold, 1 for the one that took its place.
    start: int
    # What predicting the class shares alone costs, as each loss counts it.
    train_constant: float
    validation_constant: float
    # The numbers of the epochs, from 1 on, ascending; the values below are one for each.
    epochs: tuple[int, ...]
    # The mean over the epoch's steps, as trained on: class weights, label smoothing and all.
    train_loss: tuple[float, ...]
    # The likelihood of signal against background, as verdicts take it.
    validation_loss: tuple[float, ...]
    # The share of the images shown in the epoch whose class was the most probable, each before the step that it took part in.
    # NaN for a model of background alone, and where an older pitsearch trained the epoch; so are the two below.
    train_accuracy: tuple[float, ...]
    # The share of the validation pits whose class is the most probable.
    validation_accuracy: tuple[float, ...]
    # The signal acceptance at the working point.
    acceptance: tuple[float, ...]
