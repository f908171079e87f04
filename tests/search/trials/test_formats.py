"""What a study keeps is read as what pitsearch wrote, or refused in a line that names the value: nothing is converted."""

from __future__ import annotations

from typing import Any

import pytest

from foils import load
from search.errors import StudyError
from search.studies.migrations import MIGRATIONS
from search.studies.options import SearchOptions
from search.studies.plan import Plan, make_plan, store_plan
from search.trials.formats import from_plain, upgrade
from search.trials.ladder import Ladder
from spaces import Space
from tests.support.tiny import CHANNELS, write_dataset


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    data = load(write_dataset(tmp_path_factory.mktemp("data") / "tiny", channels=CHANNELS[:4]))
    plan, _ = make_plan(data, Space(), SearchOptions(ladder=Ladder.parse("1x1,5x2")))
    return store_plan(plan)


def read(values: Any) -> Plan:
    return from_plain(Plan, upgrade(values, MIGRATIONS, "study 'x'"), "study 'x'")


def test_a_stored_plan_is_read(stored: dict[str, Any]) -> None:
    assert store_plan(read(stored)) == stored


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("fingerprint", 7, "`fingerprint` must be a text, but got 7"),
        ("held_out", "p006", "`held_out` must be a list, but got 'p006'"),
        ("folds", ["0"], "must be a whole number, but got '0'"),
        ("folds", [0.5], "must be a whole number, but got 0.5"),
        ("folds", {"0": 0}, "`folds` must be a list"),
        ("space", [], "`space`"),
        ("space", {"network.depth": {"low": 1, "high": 99}}, "must hold"),
        ("options", None, "`options` must be a table, but got None"),
        ("options.seed", True, "`options.seed` must be a whole number, but got True"),
        ("options.seed", -1, "must hold, but got -1"),
        ("options.working_point", "0.05", "`options.working_point` must be a number"),
        ("options.working_point", float("nan"), "`options.working_point` must be a finite number"),
        ("options.working_point", 10**400, "too large"),
        ("options.ladder", "5", "a rung must be written"),
        ("options.objectives", "acceptance", "`options.objectives` must be a list"),
        ("options.holdout", {"share": []}, "`options.holdout.share` must be a number"),
        ("format", 99, "must have a format of up to"),
        ("format", "2", "must have a format of up to"),
        ("plugins", [{"name": "x"}], "must be there"),
    ],
)
def test_a_value_of_another_type_is_refused(stored: dict[str, Any], place: str, value: object, message: str) -> None:
    *tables, name = place.split(".")
    values: dict[str, Any] = {**stored, "options": dict(stored["options"])}
    (values[tables[0]] if tables else values)[name] = value
    with pytest.raises(StudyError) as caught:
        read(values)
    assert message in str(caught.value)
    assert "study 'x' must" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("values", [None, 7, "plan", [], {}, {"format": 1}, {"format": 1, "space": "{"}])
def test_what_is_no_plan_is_refused(values: object) -> None:
    with pytest.raises(StudyError, match=r"^study 'x' must [^\n]*$"):
        read(values)
