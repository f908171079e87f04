"""How a trial stands by name is what its record says, or is not taken for it."""

from __future__ import annotations

from optuna.trial import create_trial

from search.trials.named_attributes import NAMES, named_attributes, stored_named
from tests.support.trials import reached, written


def test_the_names_are_the_attributes_in_order() -> None:
    assert tuple(named_attributes(reached())) == NAMES


def test_values_are_plain_and_follow_from_the_record() -> None:
    record = reached(verdicts=("learned", "collapsed", "learned", "learned", "learned"), reseeds=(0, 1, 0, 0, 0))
    named = named_attributes(record)
    assert (named["learned"], named["trainings"], named["epochs"], named["rung"]) == (4, 6, 150, "5x30")
    assert named["verdicts"] == "learned, collapsed, learned, learned, learned"
    assert named["acceptance"] == round(record.quoted.share.value, 4)
    assert all(type(value) in (str, int, float) for value in named.values())


def test_what_was_written_is_read_while_it_is_of_the_last_rung() -> None:
    named = named_attributes(reached())
    assert stored_named(create_trial(value=1.0, user_attrs={**written(reached()), **named})) == named
    for record in (reached(rung="5x9"), reached(epochs_run=151)):  # an older pitsearch has gone on
        assert stored_named(create_trial(value=1.0, user_attrs={**written(record), **named})) is None
    assert stored_named(create_trial(value=1.0, user_attrs=written(reached()))) is None
    assert stored_named(create_trial(value=1.0, user_attrs=named)) is None
