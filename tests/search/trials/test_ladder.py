"""Ladders: written, read, and refused where they do not climb."""

from __future__ import annotations

import pytest

from search import defaults
from search.errors import StudyError
from search.trials.ladder import FEW_EPOCHS, Ladder, Rung, short_ladder


def test_a_ladder_is_read_as_it_is_written() -> None:
    ladder = Ladder.parse(defaults.LADDER)
    assert ladder.rungs == (Rung(1, 3), Rung(1, 9), Rung(5, 9), Rung(5, 30))
    assert [rung.cost for rung in ladder.rungs] == [3, 9, 45, 150]
    assert (ladder.folds, ladder.epochs) == (5, 30)
    assert Ladder.parse(str(ladder)) == ladder
    assert Ladder.parse("2x3").folds == 2


def test_the_ladder_for_a_gpu_starts_with_all_folds() -> None:
    ladder = Ladder.parse(defaults.FUSED_LADDER)
    assert {rung.folds for rung in ladder.rungs} == {5}
    assert ladder.epochs == Ladder.parse(defaults.LADDER).epochs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a rung must be written FOLDSxEPOCHS, but got ''"),
        ("5", "a rung must be written FOLDSxEPOCHS, but got '5'"),
        ("0x3,5x3", "a rung must be written FOLDSxEPOCHS, but got '0x3'"),
        ("5x9,3x30", "every rung must climb from the one before, but got 5x9 before 3x30"),
        ("1x9,5x3", "every rung must climb from the one before, but got 1x9 before 5x3"),
        ("5x3,5x3", "every rung must climb from the one before, but got 5x3 before 5x3"),
        ("1x3", "a ladder must end with 2 folds or more, but got '1x3'"),
    ],
)
def test_a_ladder_that_does_not_climb_is_refused(text: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        Ladder.parse(text)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) == 1


def test_a_short_ladder_is_named_with_the_remedy() -> None:
    assert short_ladder(FEW_EPOCHS) is None
    line = short_ladder(5)
    assert line is not None
    assert line.startswith("networks are barely trained: the ladder ends at 5 epochs; ")
    assert line.endswith("launch another study whose --ladder ends at 10 epochs or more")
