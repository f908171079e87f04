"""Training curves in a trial's records: what survives, what they take, what is refused, and what is merged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import create_trial

from models.training.training_curve import VALUES, TrainingCurve
from search.errors import StudyError
from search.studies.study import Study
from search.trials.records import DAMAGE, RungResult
from search.trials.stored_curves import CURVES, MOST, pack_curves, read_curves, update_curves
from tests.support.curves import curve


def again(curves: list[TrainingCurve]) -> tuple[TrainingCurve, ...]:
    """Send curves through a trial."""
    return read_curves(create_trial(value=0.0, user_attrs=pack_curves(curves)))


def assert_close(got: TrainingCurve, expected: TrainingCurve) -> None:
    assert (got.fold, got.start, got.epochs) == (expected.fold, expected.start, expected.epochs)
    for name in (*VALUES, "train_constant", "validation_constant"):
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name), rtol=5e-4, atol=1e-7, err_msg=name)


def test_three_digits_of_every_value_survive() -> None:
    curves = [curve(0), curve(1, 0, 6), curve(1, 1), curve(2, 0, 1)]
    for got, expected in zip(again(curves), curves, strict=True):
        assert_close(got, expected)


def test_what_is_no_number_and_what_explodes_survive() -> None:
    odd = curve(epochs=3, train_loss=(0.5, 1e30, math.nan), acceptance=(math.nan,) * 3, train_constant=math.nan)
    (got,) = again([odd])
    assert repr(got.train_loss) == "(0.5, inf, nan)"
    assert np.isnan(got.acceptance).all()
    assert math.isnan(got.train_constant)


def test_a_trial_takes_some_two_kilobytes_and_never_more_than_a_text_field() -> None:
    assert len(str(pack_curves([curve(fold) for fold in range(5)]))) < 2200
    long = [curve(fold, epochs=3000) for fold in range(5)]
    assert len(str(pack_curves(long))) < MOST + 500
    got = again(long)
    assert all(thinned.epochs == (*range(4, 3000, 4), 3000) for thinned in got)
    for name in VALUES:
        np.testing.assert_allclose(getattr(got[2], name)[1], getattr(long[2], name)[7], rtol=5e-4)
    # What was thinned is thinned no further as it is kept, and goes with what is whole or shorter than a stride.
    assert again([*got]) == got
    mixed = again([got[0], curve(1, 0, 3), curve(2, 0, 9)])
    assert [each.epochs for each in mixed[1:]] == [(3,), (4, 8, 9)]
    assert again([*mixed]) == mixed


def test_an_old_trial_has_none_and_damage_is_one_clear_error() -> None:
    assert read_curves(create_trial(value=0.0)) == ()
    assert pack_curves([]) == pack_curves([curve(epochs=0)]) == {}
    good = pack_curves([curve(), curve(1)])[CURVES]
    damages: list[dict[str, Any]] = [
        {"packed": "!"},
        {"packed": good["packed"][:-8]},
        {"packed": 7},
        {"folds": (0,)},
        {"starts": (0, 0, 0)},
        {"folds": (), "starts": (), "epochs": ()},
        {"epochs": (30, 29)},
        {"epochs": (30, 10**9)},
        {"epochs": (30, 0)},
        {"stride": 0},
        {"stride": 2},
        {"format": 2},
    ]
    for damage in damages:
        trial = create_trial(value=0.0, user_attrs={CURVES: {**good, **damage}})
        with pytest.raises(StudyError, match=r"^the training curves of trial -?\d+ must [^\n]*; [^\n]*\.$"):
            read_curves(trial)


def test_an_update_keeps_what_another_worker_saw_and_drops_what_never_was() -> None:
    trial = optuna.create_study().ask()
    update_curves(trial, [curve(0), curve(1, 0, 6), curve(1, 1, 6)], {1: 1})
    # Gone on by another worker: fold 0 has not been taken up, fold 1 has come further; that it was started again is known.
    update_curves(trial, [curve(1, 1, 9), curve(2, 0, 9)], {1: 1})
    assert [(one.fold, one.start, len(one.epochs)) for one in read_curves(trial)] == [
        (0, 0, 30),
        (1, 0, 6),
        (1, 1, 9),
        (2, 0, 9),
    ]
    # Begun again without checkpoints, and started again no more.
    update_curves(trial, [curve(1, 0, 9)], {})
    assert [(one.fold, one.start, len(one.epochs)) for one in read_curves(trial)] == [(0, 0, 30), (1, 0, 9), (2, 0, 9)]
    trial.set_user_attr(CURVES, "lost")
    DAMAGE.write(trial, "a checkpoint was lost")
    update_curves(trial, [curve(0)], {})
    assert [one.fold for one in read_curves(trial)] == [0]
    assert (DAMAGE.read(trial) or "").startswith("a checkpoint was lost; its training curves could not be read")


def test_a_search_keeps_the_curves_of_every_training(finished: Study) -> None:
    for trial in finished.optuna.get_trials(deepcopy=False):
        reached, curves = RungResult.demand(trial), read_curves(trial)
        assert [(one.fold, one.start) for one in curves if one.start == reached.reseeds[one.fold]] == [
            (fold, reseeds) for fold, reseeds in enumerate(reached.reseeds)
        ]
        assert sum(one.epochs[-1] for one in curves) == reached.epochs_run
        for one in curves:
            assert one.epochs == tuple(range(1, one.epochs[-1] + 1))
            if one.start == reached.reseeds[one.fold]:
                assert one.acceptance[-1] == pytest.approx(reached.acceptance[one.fold], abs=5e-4)
                assert one.validation_accuracy[-1] == pytest.approx(reached.accuracy[one.fold], abs=5e-4)
                assert one.train_accuracy[-1] > 0.5
