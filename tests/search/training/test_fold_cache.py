"""Members are the classifiers that the trial scored."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import create_trial
from safetensors.torch import save

from foils import Dataset
from foils.folds import fold_numbers
from models.networks.build import Classifier
from models.training.cross_validation import start_fold
from models.training.task import make_task
from search.errors import StudyError
from search.training import fold_cache as members
from search.training.cross_validation import CVRequest, cross_validate, splits, summarise_folds
from search.training.fold_cache import FoldKey, assemble, find_members, keep_members, pack, trial_members, unpack
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from tests.support.trials import PLAN, reached, recipe, written

CONFIG = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adamw", 1e-2, batch_size=16))


@pytest.mark.parametrize("average", [0.0, 0.95])
def test_a_member_scores_as_its_training_did(tiny: Dataset, average: float) -> None:
    config = replace(
        Config(network=Network("pitnet", depth=2, width=4)), optimiser=Optimiser("adamw", 1e-2, batch_size=16, average=average)
    )
    training = start_fold(make_task(tiny, config, epochs=2, working_point=0.1), fold_numbers(tiny, 5, 0), 0, 0, 0)
    training.advance(2)
    member = assemble(tiny, config, (unpack(tiny, config, pack(tiny, training)),))
    validate = training.validate
    assert np.abs(member.scores(tiny.pixels[tiny.rows[validate]]) - training.scores()).max() < 1e-6


def test_members_are_kept_by_whoever_trained_the_whole(tiny: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    ask = CVRequest(tiny, CONFIG, splits(fold_numbers(tiny, 5, 0)), 7, 2, 0.1)
    validation = cross_validate(ask)
    pieces = [FoldKey(ask, summarise_folds(validation).reseeds, fold) for fold in (3, 1)]
    told: list[tuple[int, int]] = []
    trained = [weights(member) for member in find_members(pieces, 1, lambda *counts: told.append(counts))]
    assert told == [(0, 2), (1, 2), (2, 2)]
    keep_members(tiny, validation)
    monkeypatch.setattr(members, "start_fold", None)
    assert [weights(member) for member in find_members(pieces, 1, lambda *counts: told.append(counts))] == trained
    assert len(told) == 3
    assert trained[0] == weights(validation.trainings[3].eval_model)


@pytest.fixture
def kept(tiny: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[FoldKey, Path]:
    """A fold whose scores are on record, and the file of the cache that its weights are in."""
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    ask = CVRequest(tiny, CONFIG, splits(fold_numbers(tiny, 5, 0)), 7, 6, 0.1)
    validation = cross_validate(ask)
    keep_members(tiny, validation)
    repeat = summarise_folds(validation)
    (file,) = (tmp_path / "cache").iterdir()
    return FoldKey(ask, repeat.reseeds, 2, repeat.scores), file


def test_one_flipped_bit_of_a_kept_weight_changes_no_model(kept: tuple[FoldKey, Path]) -> None:
    piece, file = kept
    expected, content = weights(find_members([piece], 1)[0]), bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x40
    file.write_bytes(content)
    assert weights(find_members([piece], 1)[0]) == expected


def test_a_kept_member_that_does_not_give_the_recorded_scores_is_trained_again(
    tiny: Dataset, kept: tuple[FoldKey, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    piece, _ = kept
    expected = weights(find_members([piece], 1)[0])
    # Whole and under its key, but another network: whoever wrote it was wrong.
    other = cross_validate(replace(piece.ask, seed=8))
    other.seed = piece.ask.seed
    monkeypatch.setattr(other, "reseeds", dict(enumerate(piece.reseeds)))
    keep_members(tiny, other)
    assert weights(find_members([replace(piece, scores=None)], 1)[0]) != expected
    assert weights(find_members([piece], 1)[0]) == expected


def test_a_member_that_cannot_be_made_again_ends_in_one_line(kept: tuple[FoldKey, Path]) -> None:
    piece, _ = kept
    assert piece.scores is not None
    still = replace(CONFIG, optimiser=replace(CONFIG.optimiser, learning_rate=1e-7))
    untrained = replace(piece, ask=replace(piece.ask, config=still))
    with pytest.raises(StudyError, match=r"^a member must give the scores .* recorded, but fold 2, trained again, "):
        find_members([untrained], 1)


def weights(member: Classifier) -> bytes:
    return save({name: tensor.contiguous() for name, tensor in member.state_dict().items()})


def test_a_trial_whose_folds_all_failed_has_no_members(tiny: Dataset) -> None:
    trial = create_trial(value=0.1, user_attrs=written(recipe(), reached(verdicts=("collapsed",) * 5)))
    with pytest.raises(StudyError, match="an ensemble must have members that learned, but trial -1 has none"):
        trial_members(tiny, trial, PLAN)
