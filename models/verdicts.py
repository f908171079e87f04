"""Say how a training ended: learned, collapsed, overtrained, diverged or unfinished.

Rules, in the order in which they are asked, and the reason for each bound:

1. diverged: a loss was not finite, or the last epoch's training loss is over GROWTH times both the first epoch's and the
   constant predictor's. A training that only fails to learn stays near the constant predictor's loss.
2. unfinished: fewer epochs than planned.
3. collapsed, in either of two ways. Signal is not ranked above background beyond chance: under chance the area under the
   curve has mean 1/2 and variance (m + n + 1) / (12 m n) for m signal and n background pits (Mann & Whitney 1947); at CHANCE
   deviations one training in a hundred that knows nothing passes. Or every pit is given the same class and the validation
   loss lies less than GAIN under the constant predictor's: accepting all or nothing, the bias towards background. The
   network in use on images scaled twice ends so, with a ranking that is no chance any more and a likelihood that is.
4. overtrained: the validation loss, over the last WINDOW epochs, lies above its least by more than LOST of what training
   had gained over the constant predictor, while the training loss fell on. Small networks grow over-confident without losing
   acceptance, so a small rise is no fault; when half of the gain in likelihood is gone, the scores are no probabilities.
5. learned: none of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

GROWTH = 2.0
CHANCE = 2.33
GAIN = 0.05
LOST = 0.5
WINDOW = 3


class Verdict(StrEnum):
    """How a training ended."""

    LEARNED = "learned"
    COLLAPSED = "collapsed"
    OVERTRAINED = "overtrained"
    DIVERGED = "diverged"
    UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on.

    `train_loss`, `validation_loss`: one value an epoch (the first as trained on, the second plain cross-entropy);
    `constant_loss`: the validation loss of predicting the class shares; `auc`: area under the curve of the validation pits'
    scores, `signals` and `backgrounds` of them; `one_class`: all of them are given one class; `planned`: epochs.
    """

    train_loss: Sequence[float]
    validation_loss: Sequence[float]
    constant_loss: float
    auc: float
    signals: int
    backgrounds: int
    one_class: bool
    planned: int


def judge(evidence: Evidence) -> Verdict:
    """Judge a training by the rules above."""
    losses = [*evidence.train_loss, *evidence.validation_loss]
    if not all(math.isfinite(loss) for loss in losses):
        return Verdict.DIVERGED
    if evidence.train_loss and evidence.train_loss[-1] > GROWTH * max(evidence.train_loss[0], evidence.constant_loss):
        return Verdict.DIVERGED
    if len(evidence.train_loss) < evidence.planned:
        return Verdict.UNFINISHED
    if not beyond_chance(evidence.auc, evidence.signals, evidence.backgrounds):
        return Verdict.COLLAPSED
    if evidence.one_class and evidence.validation_loss[-1] > (1 - GAIN) * evidence.constant_loss:
        return Verdict.COLLAPSED
    if _overtrained(evidence):
        return Verdict.OVERTRAINED
    return Verdict.LEARNED


def beyond_chance(auc: float, signals: int, backgrounds: int) -> bool:
    """Tell whether an area under the curve is better than chance (rule 3)."""
    deviation = math.sqrt((signals + backgrounds + 1) / (12 * signals * backgrounds))
    return auc - 0.5 > CHANCE * deviation


def _overtrained(evidence: Evidence) -> bool:
    smooth = [
        sum(evidence.validation_loss[end - WINDOW : end]) / WINDOW for end in range(WINDOW, len(evidence.validation_loss) + 1)
    ]
    if not smooth:
        return False
    best = min(range(len(smooth)), key=smooth.__getitem__)
    gained = evidence.constant_loss - smooth[best]
    fell_on = evidence.train_loss[-1] < evidence.train_loss[best + WINDOW - 1]
    return gained > 0 and fell_on and smooth[-1] - smooth[best] > LOST * gained
