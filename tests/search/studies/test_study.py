"""Studies remember what they were made for and refuse anything else."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from foils import Dataset, load
from search.errors import StudyError
from search.storage.connect import open_storage
from search.studies.plan import Plan, make_plan
from search.studies.study import Study, find_study, open_or_create, study_data
from spaces import Space
from spaces.errors import SpaceError
from tests.support.studies import SMALL_SPACE, options_of, start, with_options
from tests.support.tiny import write_dataset


def plan_of(data: Dataset, space: Space = SMALL_SPACE, seed: int = 0, **options: Any) -> Plan:
    return make_plan(data, space, options_of(**{"pruner": "none", "ladder": "5x2", "seed": seed, **options}))[0]


def changed(plan: Plan, change: dict[str, Any]) -> Plan:
    """Give a plan with other fields or other options."""
    own = {name: value for name, value in change.items() if name in ("fingerprint", "space", "held_out")}
    return replace(with_options(plan, **{name: value for name, value in change.items() if name not in own}), **own)


def test_the_held_out_set_is_out_of_reach_of_every_trial(tiny: Dataset) -> None:
    plan = plan_of(tiny)
    searched, locked = plan.search_set(tiny), plan.held_out_set(tiny)
    assert len(searched) + len(locked) == len(tiny)
    assert len(searched) == len(plan.folds)
    assert not {pit.pit for pit in searched.pits} & {pit.pit for pit in locked.pits}
    assert not set(searched.rows) & set(locked.rows)
    assert not set(searched.groups) & set(locked.groups)


def test_folds_follow_from_data_and_seed_and_the_held_out_set_from_data_alone(tiny: Dataset) -> None:
    assert plan_of(tiny) == plan_of(tiny)
    assert plan_of(tiny, seed=1).held_out == plan_of(tiny).held_out
    assert plan_of(tiny, seed=1).folds != plan_of(tiny).folds


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("timm:adamq", r"must be an optimiser that timm .* lists; did you mean timm:adam,"),
        ("timm:fusedadam", r"must train a network here, but: .*; choose another\.$"),
    ],
)
def test_an_optimiser_that_is_not_there_is_refused_before_any_trial(tiny: Dataset, name: str, line: str) -> None:
    space = Space({**SMALL_SPACE.chosen, "optimiser.name": ("adam", "timm:adamp", name)})
    with pytest.raises(SpaceError, match=rf"^`optimiser\.name = {name}` {line}"):
        plan_of(tiny, space)


def test_a_study_opens_again_for_the_same_and_gives_its_plan_back(tiny: Dataset, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    plan = plan_of(tiny)
    study = open_or_create("a", storage, plan)
    assert open_or_create("a", storage, plan) == study
    assert study.plan == plan
    assert study.optuna.direction == optuna.study.StudyDirection.MAXIMIZE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fingerprint": "0" * 64}, r"study 'a' was made from other data \(fingerprint .{12}, but .* has 000000000000\)"),
        (
            {"space": Space({"augmentation.drop": (0.1,)})},
            r"study 'a' was made for another space \(`augmentation.drop`: .*, but now \[0.1\]\)",
        ),
        ({"seed": 5}, r"study 'a' was made with another seed \(0, but now 5\)"),
        ({"held_out": ("p001",)}, "study 'a' was made with another held-out set;"),
        ({"working_point": 0.01}, r"study 'a' was made with another working point \(0.05, but now 0.01\)"),
        ({"ladder": "5x9"}, r"study 'a' was made with another ladder \(5x2, but now 5x9\)"),
        ({"pruner": "median"}, r"study 'a' was made with another pruner \(none, but now median\)"),
        ({"audit": 0.2}, r"study 'a' was made with another share of audited trials \(0.05, but now 0.2\)"),
    ],
)
def test_a_study_made_for_something_else_is_refused_saying_which(
    tiny: Dataset, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    plan = plan_of(tiny)
    open_or_create("a", storage, plan)
    with pytest.raises(StudyError, match=message) as caught:
        open_or_create("a", storage, changed(plan, change))
    assert len(str(caught.value).splitlines()) == 1
    assert "choose another --study" in str(caught.value)


def test_studies_are_found_by_name_or_when_alone(tiny: Dataset, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    open_or_create("a", storage, plan_of(tiny))
    assert find_study(None, storage).name == "a"
    with pytest.raises(StudyError, match="a study must be in the storage, but got 'b'; choose from: a"):
        find_study("b", storage)
    open_or_create("b", storage, plan_of(tiny))
    with pytest.raises(StudyError, match="give --study, one of: a, b"):
        find_study(None, storage)


def test_a_study_of_someone_else_is_refused(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    optuna.create_study(study_name="other", storage=open_storage(storage, create=True))
    with pytest.raises(StudyError, match="study 'other' must be one that pitsearch made"):
        _ = Study("other", storage).plan


def test_data_that_moved_is_found_and_data_that_changed_is_refused(tiny_folder: Path, tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "before")
    study = start(load(folder), tmp_path, trials=1, ladder="5x1")
    folder.rename(tmp_path / "after")
    with pytest.raises(StudyError, match=r"needs its data, but .*before is gone; give its folder with --data"):
        study_data(study)
    assert len(study_data(study, tmp_path / "after")) == 75
    other = write_dataset(tmp_path / "other", seed=5)
    with pytest.raises(StudyError, match="was made from other data"):
        study_data(study, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"working_point": 1.5}, r"`0 < working point < 1` must hold .* but got 1.5"),
        ({"audit": -0.1}, r"`0 <= audit <= 1` must hold \(share of trials never pruned\), but got -0.1; choose e.g. 0.05."),
        ({"audit": math.nan}, "`0 <= audit <= 1` must hold .* but got nan"),
        ({"seed": -1}, "`seed >= 0` must hold, but got -1"),
        ({"pruner": "magic"}, "a pruner must be one of"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(tiny: Dataset, options: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyError, match=message):
        plan_of(tiny, **options)
