"""Judge how a training ended: learned, collapsed, overtrained, diverged or unfinished.

Training losses are compared with what the constant predictor costs in the same loss, class weights and all. Validation losses
are likelihoods of signal against background in P(signal), whatever the loss and the scheme, in which each side has the share
that the training was shown: a network trained on balanced classes gives balanced probabilities, which is no fault. Of a
model of background alone both losses are of what its network learns (`models/training/anomaly.py`).
`benchmarks/statistics/verdicts.py` measures how often the rules are right, on other trainings than the bounds were chosen on:
of 60 trainings that learn by their held-out pits 55 are called learned, of 128 that do not 6 are.

Rules, in the order in which they apply, and the reason for each bound:

1. diverged: a loss was not finite, or the last epoch's training loss is over GROWTH times both the constant predictor's and
   the first epoch's, of which no more than BAD_START times the constant predictor's counts: a loss that explodes within
   the first epoch sets no bound. A training that only fails to learn stays near the constant predictor's loss.
2. unfinished: fewer epochs than planned.
3. collapsed, in any of three ways. Signal is not ranked above background beyond chance: under chance the area under the
   curve has mean 1/2 and variance (m + n + 1) / (12 m n) for m signal and n background pits (Mann & Whitney 1947); at CHANCE
   deviations one uninformed training in a hundred passes. Or no more than a share NEARLY of the pits is accepted at
   P(signal) = 1/2, or no more than that is not, and the validation loss lies less than GAIN under the constant predictor's:
   accepting all or nothing, the bias towards background. The network in use on images scaled twice ends so, with a ranking
   beyond chance and a likelihood that is not; where the likelihood is better, accepting nothing at 1/2 is the effect of rare
   signal alone. Or, checked after rule 4, the validation loss has ended over the constant predictor's: such
   probabilities are less likely than the class shares, whatever the ranking. This is not checked for a training under way,
   which may start again: a slow one ranks before its probabilities are right, and a new start does not help it.
4. overtrained: the validation loss, over the last WINDOW epochs and after the last, lies above its least over so many by more
   than LOST of what training had gained over the constant predictor, or of GAIN of that one's loss where it had gained less,
   while the training loss fell on, to under its constant predictor's. Small networks grow over-confident without losing
   acceptance, so a small rise is no fault; when half of the gain in likelihood is lost, the scores are no probabilities. One
   epoch's loss varies with the rate: neither a single best epoch nor a bad one followed by a better one counts.
5. learned: none of these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# A collapse may be one of the seed's from this share of the epochs and so many steps on: before, slow trainings look alike.
EARLIEST, LEAST_STEPS = 0.2, 100
GROWTH, BAD_START = 2.0, 2.0
CHANCE = 2.33
NEARLY = 0.02
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
    """What a verdict rests on."""

    # One value an epoch, as trained on.
    train_loss: Sequence[float]
    # One value an epoch, of signal against background.
    validation_loss: Sequence[float]
    # Training loss of predicting the class shares.
    train_constant: float
    # Validation loss of predicting the class shares.
    constant_loss: float
    # Area under the curve of the validation pits' scores.
    auc: float
    # Validation pits of signal.
    signals: int
    # Validation pits of background.
    backgrounds: int
    # Share of the validation pits with P(signal) of 1/2 or more.
    accepted: float
    # Epochs of the whole training, or those due by now where it is under way.
    planned: int
    # True where the verdict decides whether to go on.
    under_way: bool = False


def judge(evidence: Evidence) -> Verdict:
    """Judge a training by the rules above."""
    if _diverged(evidence):
        return Verdict.DIVERGED
    if len(evidence.train_loss) < evidence.planned:
        return Verdict.UNFINISHED
    if not beyond_chance(evidence.auc, evidence.signals, evidence.backgrounds) or _all_or_nothing(evidence):
        return Verdict.COLLAPSED
    if _overtrained(evidence):
        return Verdict.OVERTRAINED
    if evidence.validation_loss[-1] > evidence.constant_loss and not evidence.under_way:
        return Verdict.COLLAPSED
    return Verdict.LEARNED


def beyond_chance(auc: float, signals: int, backgrounds: int) -> bool:
    """Tell whether an area under the curve is better than chance (rule 3)."""
    deviation = math.sqrt((signals + backgrounds + 1) / (12 * signals * backgrounds))
    return auc - 0.5 > CHANCE * deviation


def is_stuck(evidence: Evidence, *, epochs: int, steps: int, ended: bool) -> bool:
    """Tell whether a collapsed training is worth another start: it has learned nothing of what it was shown, for long enough.

    Its training loss is still the constant predictor's, no more than GAIN under it. `evidence`: of the training under way;
    `epochs`: of its whole length; `steps`: of an epoch; `ended`: whether it goes no further.
    """
    run = len(evidence.train_loss)
    if not ended and (run < EARLIEST * epochs or run * steps < LEAST_STEPS):
        return False
    return judge(evidence) is Verdict.COLLAPSED and learned_nothing(evidence.train_loss[-1], evidence.train_constant)


def learned_nothing(train_loss: float, train_constant: float) -> bool:
    """Tell whether a training loss is still the constant predictor's."""
    return train_loss > (1 - GAIN) * train_constant


def can_learn(signals: int, backgrounds: int) -> bool:
    """Tell whether a fold with so many validation pits can be called learned at all: a perfect ranking is beyond chance."""
    return signals > 0 and backgrounds > 0 and beyond_chance(1.0, signals, backgrounds)


def _diverged(evidence: Evidence) -> bool:
    losses, constant = evidence.train_loss, evidence.train_constant
    if not all(map(math.isfinite, (*losses, *evidence.validation_loss))):
        return True
    return bool(losses) and losses[-1] > GROWTH * min(max(losses[0], constant), BAD_START * constant)


def _all_or_nothing(evidence: Evidence) -> bool:
    extreme = evidence.accepted <= NEARLY or evidence.accepted >= 1 - NEARLY
    return extreme and evidence.validation_loss[-1] > (1 - GAIN) * evidence.constant_loss


def _overtrained(evidence: Evidence) -> bool:
    smooth = [
        sum(evidence.validation_loss[end - WINDOW : end]) / WINDOW for end in range(WINDOW, len(evidence.validation_loss) + 1)
    ]
    if not smooth:
        return False
    best = min(range(len(smooth)), key=smooth.__getitem__)
    gain = max(evidence.constant_loss - smooth[best], GAIN * evidence.constant_loss)
    fell_on = evidence.train_loss[-1] < min(evidence.train_loss[best + WINDOW - 1], evidence.train_constant)
    return fell_on and min(smooth[-1], evidence.validation_loss[-1]) - smooth[best] > LOST * gain
