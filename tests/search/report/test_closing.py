"""A search is closed with one sentence that its status bears out, and with the command that helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.analysis.status import Status, of_trials
from search.report.closing import Closing, closing
from search.statistics.expected_gain import Gain
from search.statistics.intervals import Share
from search.trials.baseline import Comparison
from tests.support.status import TRIALS
from tests.support.trials import PLAN

SOME = of_trials("craters", PLAN, TRIALS)
NONE = of_trials("craters", PLAN, [])
FOUND = "found: trial 1 with acceptance 0.738 [0.600, 0.841] where 5 % of the background passes, "


def sentence(status: Status) -> str:
    ended = closing(status)
    assert (ended.command, ended.words) == ("select", ())
    assert ended.sentence.startswith(FOUND)
    return ended.sentence[len(FOUND) :]


def test_what_was_found_is_held_against_the_network_in_use() -> None:
    assert sentence(SOME).startswith("better than the network in use by +0.024 [+0.009, +0.039]; ")
    assert SOME.comparison is not None
    chance = Comparison(SOME.comparison.baseline, Share(0.024, -0.01, 0.06))
    assert sentence(replace(SOME, comparison=chance)).startswith(
        "+0.024 [-0.010, +0.060] against the network in use, which may be "
    )
    itself = Comparison(SOME.comparison.baseline, None)
    assert sentence(replace(SOME, comparison=itself)).startswith("which is the network in use itself: none is better; ")
    assert sentence(replace(SOME, comparison=None)).startswith("not compared with the network in use, which has not climbed ")


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (None, "too few trials to say whether more pay"),
        (Gain(40, 0.002, 0.009), "more trials do not pay: 40 more are expected to bring +0.002 and hardly more than +0.009"),
        (Gain(40, 0.004, 0.020), "more trials may pay: 40 more are expected to bring +0.004 and hardly more than +0.020"),
        (Gain(40, 0.030, 0.060), "more trials pay: 40 more are expected to bring +0.030 and hardly more than +0.060"),
    ],
)
def test_whether_more_trials_pay_follows_from_the_outlook(gain: Gain | None, said: str) -> None:
    assert sentence(replace(SOME, gain=gain)).endswith(f"; {said}")


def test_where_nothing_learned_the_sentence_says_why_and_the_command_helps() -> None:
    ended = closing(replace(SOME, nothing="nothing has learned: none"))
    assert ended == Closing("nothing has learned: none", "check", ("data", "--sheet", "pits.png"))


def test_where_nothing_can_be_selected_yet_the_search_goes_on() -> None:
    paused = replace(NONE, paused=3, queue=[("5x9", 1), ("1x3", 2)])
    assert closing(paused, 5.0) == Closing(
        "nothing can be selected yet: no trial has climbed the whole ladder, 3 are paused (1 on 5x9, 2 on 1x3); a longer "
        "search goes on with them",
        "launch",
        ("data", "--minutes", "10"),
    )
    pruned = closing(replace(NONE, pruned=4))
    assert (pruned.command, pruned.words) == ("launch", ("data", "--trials", "8"))
    assert "no trial has climbed the whole ladder, 4 were pruned; a longer search begins others" in pruned.sentence


def test_where_all_broke_or_none_began_that_is_said() -> None:
    broken = closing(replace(NONE, failed=2, errors=["trial 0: a", "trial 1: RuntimeError: no such kernel"]))
    assert broken == Closing("nothing was found: 2 trials failed, the last: trial 1: RuntimeError: no such kernel", "status")
    assert closing(NONE).command == "worker"


def test_where_the_time_ended_before_any_trial_a_longer_launch_is_named() -> None:
    ended = closing(replace(NONE, waiting=2), 4.0)
    assert ended == Closing(
        "nothing can be selected yet: no trial has climbed the whole ladder, 2 trials interrupted; a longer search goes on",
        "launch",
        ("data", "--minutes", "8"),
    )
    assert closing(replace(NONE, waiting=1)).words == ("data",)
    assert closing(NONE, 4.0) == Closing(
        "nothing was found: no trial has begun in that time", "launch", ("data", "--minutes", "8")
    )
    assert closing(replace(NONE, running=1), 4.0).command == "worker"
