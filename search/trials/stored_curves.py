"""The training curves of a trial, kept in its study: a value an epoch of every training, also of those that were started again.

They are one user attribute, written on every rung in place of the one before. A value is a half-precision number, two bytes:
three digits, and infinite from 65,520 on. Five folds of 30 epochs take some 2 kB. Where epochs are more than a text field of a
database holds, every second, fourth, ... of a training is kept, and its last. A trial that an older pitsearch ran has none.
Knows nothing of how curves come about, nor of what is made of them.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from optuna.trial import BaseTrial

from models.training.training_curve import VALUES, TrainingCurve
from pitsearch.typed_values import Between
from search.errors import StudyError
from search.trials.formats import from_plain, upgrade
from search.trials.records import DAMAGE, Count

CURVES = "curves"
# MySQL's TEXT holds 65,535 bytes; the rest is for names and numbers.
MOST = 56_000
CONSTANTS = ("train_constant", "validation_constant")
Epoch = Annotated[int, Between(1, 10**9)]


@dataclass(frozen=True)
class _Stored:
    """What a trial's curves are stored as; one value a training where there are several."""

    folds: tuple[Count, ...]
    starts: tuple[Count, ...]
    # The last epoch of each.
    epochs: tuple[Epoch, ...]
    # Of so many epochs one is kept.
    stride: Epoch
    # Base 64 of deflated half-precision numbers, least byte first: for each of VALUES the epochs of all trainings, then for
    # each of CONSTANTS the trainings.
    packed: str


def pack_curves(curves: Sequence[TrainingCurve]) -> dict[str, Any]:
    """Give curves as the user attribute that holds them; none where no epoch was trained."""
    curves = [curve for curve in curves if curve.epochs]
    if not curves:
        return {}
    stride = max(map(_stride, curves))  # what was read again may be thinned already
    while len(packed := _pack([_thin(curve, stride) for curve in curves])) > MOST:
        stride *= 2
    folds, starts = (tuple(numbers) for numbers in zip(*((curve.fold, curve.start) for curve in curves), strict=True))
    stored = _Stored(folds, starts, tuple(curve.epochs[-1] for curve in curves), stride, packed)
    return {CURVES: {"format": 1, **asdict(stored)}}


def update_curves(trial: BaseTrial, curves: Sequence[TrainingCurve], reseeds: Mapping[int, int]) -> None:
    """Write the curves of the trial that runs here; those of its trainings that another worker saw, and left, stay.

    `reseeds`: how often each fold was started again. Where what was written before is damaged, the trial says so and goes on.
    """
    try:
        before = read_curves(trial)
    except StudyError:
        before = ()
        texts = [DAMAGE.read(trial), "its training curves could not be read: those of trainings that were replaced are lost"]
        DAMAGE.write(trial, "; ".join(filter(None, texts)))
    merged = {(curve.fold, curve.start): curve for curve in before if curve.start <= reseeds.get(curve.fold, 0)}
    merged |= {(curve.fold, curve.start): curve for curve in curves}
    for name, value in pack_curves([merged[key] for key in sorted(merged)]).items():
        trial.set_user_attr(name, value)


def read_curves(trial: BaseTrial) -> tuple[TrainingCurve, ...]:
    """Read a trial's curves, by fold and start; none where it has none. Raises StudyError where they are damaged."""
    values: Mapping[str, Any] | None = trial.user_attrs.get(CURVES)
    if values is None:
        return ()
    what = f"the training curves of trial {trial.number}"
    stored = from_plain(_Stored, upgrade(values, (), what), what)
    # Whatever they claim, no more is made of them than the text could hold.
    numbers = [_kept(last, stored.stride) for last in stored.epochs] if _is_bounded(stored) else []
    content = _unpack(stored.packed, len(VALUES) * sum(map(len, numbers)) + len(CONSTANTS) * len(numbers))
    if content is None or not len(numbers) == len(stored.folds) == len(stored.starts) > 0:
        raise StudyError(f"{what} must be those that were written, but are damaged; leave this trial out.")
    epochs = sum(map(len, numbers))
    table, constants = np.split(content, [len(VALUES) * epochs])
    parts = np.split(table.reshape(len(VALUES), epochs), np.cumsum([len(each) for each in numbers])[:-1], axis=1)
    known = zip(stored.folds, stored.starts, *constants.reshape(len(CONSTANTS), -1).tolist(), numbers, strict=True)
    return tuple(TrainingCurve(*each, *map(tuple, part.tolist())) for each, part in zip(known, parts, strict=True))


def _is_bounded(stored: _Stored) -> bool:
    """Tell whether stored curves say to be no more than a text of this size holds when it is inflated."""
    return sum(last // stored.stride + 1 for last in stored.epochs) <= MOST


def _pack(curves: Sequence[TrainingCurve]) -> str:
    rows = [[value for curve in curves for value in getattr(curve, name)] for name in VALUES]
    rows += [[getattr(curve, name) for curve in curves] for name in CONSTANTS]
    with np.errstate(over="ignore"):  # a loss that explodes is infinite
        halves = np.concatenate(rows).astype("<f2")
    return base64.b64encode(zlib.compress(halves.tobytes(), 9)).decode()


def _unpack(packed: str, count: int) -> npt.NDArray[np.float64] | None:
    """Give so many numbers; None where there are not that many."""
    try:
        inflated = zlib.decompressobj()
        content = inflated.decompress(base64.b64decode(packed, validate=True), 2 * count + 1)
    except (binascii.Error, zlib.error, ValueError):
        return None
    if not inflated.eof or len(content) != 2 * count:
        return None
    return np.frombuffer(content, "<f2").astype(np.float64)


def _thin(curve: TrainingCurve, stride: int) -> TrainingCurve:
    """Keep one of so many epochs of a curve, and the last."""
    kept = _kept(curve.epochs[-1], stride)
    if kept == curve.epochs:
        return curve
    places = np.flatnonzero(np.isin(curve.epochs, kept)).tolist()
    values: dict[str, Any] = {name: tuple(getattr(curve, name)[place] for place in places) for name in VALUES}
    return replace(curve, epochs=kept, **values)


def _kept(last: int, stride: int) -> tuple[int, ...]:
    """Number the epochs that are kept of a training of `last` epochs."""
    return (*range(stride, last, stride), last)


def _stride(curve: TrainingCurve) -> int:
    """Give the stride that a curve was thinned with, a power of two; 1 where it is whole."""
    first = curve.epochs[0]
    return first if len(curve.epochs) > 1 else 1 << (first - 1).bit_length()
