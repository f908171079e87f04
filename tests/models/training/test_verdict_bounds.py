"""Verdicts at the bounds of their rules: what lies on a bound, just under and just over it."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from models.training.verdicts import (
    CHANCE,
    EARLIEST,
    GAIN,
    GROWTH,
    LEAST_STEPS,
    NEARLY,
    Evidence,
    Verdict,
    beyond_chance,
    can_learn,
    is_stuck,
    judge,
    learned_nothing,
)

GOOD = Evidence([0.7, 0.5, 0.3, 0.2], [0.6, 0.5, 0.4, 0.4], 0.6, 0.6, 0.95, 40, 200, 0.2, 4)
# Of a training that learns nothing, under way since two epochs of two.
FLAT = replace(GOOD, train_loss=[0.6, 0.6], validation_loss=[0.6, 0.6], auc=0.5, planned=2, under_way=True)
UNSURE = [0.6, 0.6, 0.6, 0.58]
LOST_IT = [0.2, 0.2, 0.2, 1.0]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        # A loss as great as the bound of rule 1 has not exploded.
        ({"train_loss": [0.7, 0.5, 0.3, GROWTH * 0.7]}, Verdict.LEARNED),
        # The share NEARLY itself is accepting nothing, or all.
        ({"accepted": NEARLY, "validation_loss": UNSURE}, Verdict.COLLAPSED),
        ({"accepted": 1 - NEARLY, "validation_loss": UNSURE}, Verdict.COLLAPSED),
        # The last epoch counts, not the one before; a gain of GAIN is enough.
        ({"accepted": 0.0, "validation_loss": [0.6, 0.6, 0.59, 0.5]}, Verdict.LEARNED),
        ({"accepted": 0.0, "validation_loss": [0.6, 0.6, 0.6, (1 - GAIN) * 0.6]}, Verdict.LEARNED),
        # As likely as the class shares is no worse than they are.
        ({"validation_loss": [0.6, 0.6, 0.6, 0.6]}, Verdict.LEARNED),
        # Fewer epochs than are averaged over: nothing can be said of overtraining.
        ({"train_loss": [0.7, 0.2], "validation_loss": [0.5, 0.4], "planned": 2}, Verdict.LEARNED),
        # Where nothing had been gained, half of GAIN of the constant predictor's loss may be lost: 0.015 here.
        ({"train_loss": [0.5] * 5 + [0.4], "validation_loss": [0.6] * 4 + [0.64, 0.66], "planned": 6}, Verdict.OVERTRAINED),
        ({"train_loss": [0.5] * 5 + [0.4], "validation_loss": [0.6] * 4 + [0.62, 0.62], "planned": 6}, Verdict.COLLAPSED),
        # The training loss must have fallen since the best epochs: not stood still, nor fallen only since those before.
        ({"train_loss": [0.5] * 4, "validation_loss": LOST_IT}, Verdict.COLLAPSED),
        ({"train_loss": [0.7, 0.5, 0.3, 0.4], "validation_loss": LOST_IT}, Verdict.COLLAPSED),
        # Half of the gain is lost, and no more.
        (
            {
                "constant_loss": 1.0,
                "train_loss": [0.7, 0.6, 0.5, 0.4, 0.3, 0.2],
                "validation_loss": [0.5] * 3 + [0.75] * 3,
                "planned": 6,
            },
            Verdict.LEARNED,
        ),
    ],
)
def test_what_lies_on_a_bound(change: dict[str, object], verdict: Verdict) -> None:
    assert judge(replace(GOOD, **change)) is verdict  # type: ignore[arg-type]  # the table mixes fields


def test_the_bound_of_chance_is_that_of_mann_and_whitney() -> None:
    # 2.33 times sqrt(11 / 300), for five pits of each: 0.4462.
    assert beyond_chance(0.947, 5, 5)
    assert not beyond_chance(0.945, 5, 5)
    assert not beyond_chance(0.5 + CHANCE * math.sqrt(11 / 300), 5, 5)


def stuck(evidence: Evidence = FLAT, epochs: int = 10, steps: int = 50, ended: bool = False) -> bool:
    return is_stuck(evidence, epochs=epochs, steps=steps, ended=ended)


def test_a_training_is_stuck_from_a_fifth_of_its_epochs_and_enough_steps_on() -> None:
    assert (EARLIEST, LEAST_STEPS) == (0.2, 100)
    assert stuck()
    assert not stuck(epochs=11)
    assert not stuck(steps=49)
    assert not stuck(epochs=11, steps=1000)
    assert stuck(epochs=11, steps=1, ended=True)


def test_a_training_that_learns_what_it_is_shown_is_not_stuck() -> None:
    assert not stuck(replace(FLAT, train_loss=[0.6, 0.5]))
    assert stuck(replace(FLAT, train_loss=[0.5, 0.6]))
    assert stuck(replace(FLAT, train_loss=[0.6, 0.5, 0.6], validation_loss=[0.6] * 3, planned=3))
    assert not stuck(replace(FLAT, auc=0.95, validation_loss=[0.6, 0.4], accepted=0.2))


def test_a_loss_of_gain_under_the_constant_predictors_is_something() -> None:
    assert not learned_nothing((1 - GAIN) * 0.5, 0.5)
    assert learned_nothing((1 - GAIN) * 0.5 + 1e-9, 0.5)
    assert not learned_nothing(3.7, 4.0)
    assert learned_nothing(3.9, 4.0)


@pytest.mark.parametrize(
    ("signals", "backgrounds", "learns"),
    [
        (2, 200, True),
        (1, 10**6, False),
        (10**6, 1, False),
        (0, 10, False),
        (10, 0, False),
        (0, 0, False),
        (4, 4, False),
        (5, 5, True),
    ],
)
def test_a_fold_can_learn_whose_perfect_ranking_is_beyond_chance(signals: int, backgrounds: int, learns: bool) -> None:
    assert can_learn(signals, backgrounds) is learns
