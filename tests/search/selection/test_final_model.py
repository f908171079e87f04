"""The final model: its members, its thresholds, its temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset
from models.inference.calibration import calibrated
from models.metrics import threshold_at
from search.errors import StudyError
from search.selection.confirm import ConfirmOptions, Entrant, confirm
from search.selection.confirmations import confirmation_request
from search.selection.final_model import make_final_model
from search.studies.study import Study
from search.training.cross_validation import cross_validate


@pytest.fixture
def entrant(finished: Study) -> Entrant:
    return confirm(finished, ConfirmOptions(top=1, repeats=2, reliability=0.0), workers=1)[0]


def test_an_ensemble_has_a_member_of_every_repeat(finished: Study, tiny: Dataset, entrant: Entrant) -> None:
    plan, searched = finished.plan, finished.plan.search_set(tiny)
    final = make_final_model(searched, plan, entrant, "ensemble", 1)
    assert len(final.ensemble.members) == 2
    for repeat, member in enumerate(final.ensemble.members):
        validation = cross_validate(confirmation_request(plan, searched, entrant.config, entrant.number, repeat))
        learned = [fold for fold, verdict in enumerate(entrant.repeats[repeat].verdicts) if verdict == "learned"]
        fold = min([fold for fold in learned if fold >= repeat] or learned)
        ours = dict(member.state_dict())
        assert all(
            np.array_equal(ours[name], value) for name, value in validation.trainings[fold].eval_model.state_dict().items()
        )


def test_thresholds_come_from_the_mean_over_repeats_out_of_fold(finished: Study, tiny: Dataset, entrant: Entrant) -> None:
    searched = finished.plan.search_set(tiny)
    good = replace(entrant, repeats=tuple(replace(one, verdicts=("learned",) * 5) for one in entrant.repeats))
    final = make_final_model(searched, finished.plan, good, "ensemble", 1)
    means = np.mean([one.scores for one in good.repeats], axis=0)[searched.is_scored]
    warm, is_signal = (
        calibrated(means, final.ensemble.temperature, final.ensemble.offset),
        searched.is_signal[searched.is_scored],
    )
    assert final.thresholds == {0.1: threshold_at(warm, is_signal, 0.1), 0.01: threshold_at(warm, is_signal, 0.01)}
    assert (warm[~is_signal] >= final.thresholds[0.1]).mean() <= 0.1
    assert final.calibration.after <= final.calibration.before


def test_scores_of_members_that_did_not_learn_count_nowhere(finished: Study, tiny: Dataset, entrant: Entrant) -> None:
    searched = finished.plan.search_set(tiny)
    good = [replace(one, verdicts=("learned",) * 5) for one in entrant.repeats]
    bad = replace(good[1], verdicts=("collapsed",) * 5, scores=1 - good[1].scores)
    final = make_final_model(searched, finished.plan, replace(entrant, repeats=(good[0], bad)), "ensemble", 1)
    alone = make_final_model(searched, finished.plan, replace(entrant, repeats=(good[0],)), "ensemble", 1)
    assert len(final.ensemble.members) == 1
    assert final.thresholds == alone.thresholds


def test_a_refit_is_one_network_that_saw_every_pit(finished: Study, tiny: Dataset, entrant: Entrant) -> None:
    searched = finished.plan.search_set(tiny)
    told: list[tuple[int, int]] = []
    final, again = (
        make_final_model(searched, finished.plan, entrant, "refit", 1, lambda *counts: told.append(counts)) for _ in range(2)
    )
    epochs = finished.plan.ladder.epochs
    assert told[: epochs + 1] == [(epoch, epochs) for epoch in range(epochs + 1)]
    assert len(final.ensemble.members) == 1
    assert final.ensemble.weights() == again.ensemble.weights()
    scores = final.ensemble.scores(searched.crops())
    assert scores[searched.is_signal].mean() > scores[searched.is_background].mean()


def test_nothing_learned_makes_no_model(finished: Study, tiny: Dataset, entrant: Entrant) -> None:
    bad = replace(entrant, repeats=tuple(replace(one, verdicts=("collapsed",) * 5) for one in entrant.repeats))
    with pytest.raises(StudyError, match="a final model needs members that learned"):
        make_final_model(finished.plan.search_set(tiny), finished.plan, bad, "ensemble", 1)
    with pytest.raises(StudyError, match="`final` must be one of ensemble, refit, but got 'both'"):
        make_final_model(finished.plan.search_set(tiny), finished.plan, entrant, "both", 1)
