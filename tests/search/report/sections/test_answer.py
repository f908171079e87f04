"""The answer in one sentence, before and after a selection, and every warning that its numbers ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from optuna.trial import TrialState

from foils import Dataset
from search.analysis.status import of_trials, summarise
from search.report.sections.answer import answer, groups_across_slides, section, warnings, winner_readings
from search.report.subject import Subject, read_subject
from search.report.winner import winner_of
from search.statistics.intervals import wilson
from search.studies.lock import SeenBefore
from search.studies.study import Study
from search.trials.baseline import compare
from search.trials.records import RungResult
from search.trials.reliability import Tally
from tests.support.status import trial_of as status_trial
from tests.support.subjects import FATES, LOOK, cells_of, selected_subject, subject_of, trial_of


def said(subject: Subject) -> str:
    return answer(subject, winner_of(subject))


def warned(subject: Subject) -> str:
    return "\n".join(warnings(subject, winner_of(subject)))


def test_after_a_selection_the_sentence_gives_the_held_out_reading_and_the_gain_over_the_network_in_use() -> None:
    gain = compare(FATES, FATES[3])
    assert gain is not None and gain.gain is not None
    in_use = RungResult.demand(FATES[0]).quoted.share
    assert said(selected_subject()) == (
        f"Trial 3 is selected: of the held-out pits it accepts {wilson(46, 52)} of the signal and rejects {wilson(210, 222)} "
        f"of the background at the working point of 5% false positives, and {Tally(15, 0, 15).reliability} of its trainings "
        f"learned (15 of 15); on the folds of the search its acceptance differs by {gain.gain.value:+.3f} "
        f"[{gain.gain.low:+.3f}, {gain.gain.high:+.3f}] from that of the network in use, trial 0, which accepts {in_use}."
    )


def test_before_a_selection_the_sentence_says_that_its_number_is_too_high() -> None:
    sentence = said(subject_of())
    best = RungResult.demand(FATES[3]).quoted.share
    assert sentence.startswith(f"No model is selected yet; the best so far is trial 3, which in the search accepts {best}")
    assert "too high a number because the search chose by it" in sentence


def test_where_the_network_in_use_wins_or_is_not_known_the_sentence_says_so() -> None:
    assert said(subject_of(FATES[:1])).endswith("it is the network in use itself.")
    assert said(subject_of(FATES[3:4])).endswith("there is nothing to compare it with.")
    assert said(subject_of(FATES[1:3])) == "There is no answer yet: no trial has climbed the whole ladder."


def test_where_nothing_learned_the_sentence_is_that_of_status() -> None:
    collapsed = status_trial(1, TrialState.COMPLETE, 3)
    record = collapsed.user_attrs["reached"]
    collapsed.set_user_attr("reached", {**record, "verdicts": ["collapsed"] * 5})
    subject = subject_of((collapsed,))
    assert subject.status.nothing is not None
    assert said(subject)[1:] == f"{subject.status.nothing[1:]}."


def test_the_table_holds_what_the_sentence_says() -> None:
    subject = selected_subject()
    cells = cells_of(section(subject))
    assert cells["held-out acceptance"] == str(wilson(46, 52))
    assert cells["held-out rejection"] == str(wilson(210, 222))
    assert cells["difference on the same folds"] in said(subject)
    assert cells["acceptance on slides never seen"] == str(wilson(160, 207))
    assert cells["held-out pits"] == f"{LOOK.signals} signal, {LOOK.backgrounds} background"


def test_the_figure_quotes_the_held_out_number_only_where_it_is_honest() -> None:
    for subject, quoted in ((selected_subject(), True), (selected_subject(2), False)):
        winner = winner_of(subject)
        assert winner is not None
        readings = winner_readings(winner, subject)
        assert [one.words for one in readings if one.quoted] == (["held out"] if quoted else [])
        assert [one.words for one in readings if one.in_use] == ["network in use, in the search"]


@pytest.mark.parametrize(
    ("number", "seen", "words"),
    [
        (2, SeenBefore(1, 0.0), "reading 2 of 2, not the first"),
        (1, SeenBefore(0, 0.4), "had been seen before this model was chosen"),
        (1, SeenBefore(0, 0.0, "held_out.jsonl:2"), "had been seen before this model was chosen"),
    ],
)
def test_a_held_out_set_that_was_seen_before_is_said(number: int, seen: SeenBefore, words: str) -> None:
    assert words in warned(selected_subject(number, seen))
    assert "had been seen before" not in warned(selected_subject())


def test_few_held_out_pits_a_running_study_failures_and_lost_data_are_said() -> None:
    text = warned(selected_subject())
    assert "Of 52 held-out signal pits one more or less moves the held-out acceptance by 0.019" in text
    assert "The study still runs, with 1 trial" in text
    assert "1 trial failed" in text
    assert "What needs the pits themselves is left out: study 'craters' needs its data, but data is gone" in text
    assert "still runs" not in warned(subject_of(FATES[:6]))


def test_records_that_cannot_be_read_are_counted() -> None:
    status = replace(of_trials("craters", subject_of().plan, FATES), unreadable=("trial 9 has rows that are not Optuna's",))
    assert "1 record of the study cannot be read and are left out: trial 9 has rows" in warned(subject_of(status=status))


def test_an_older_selection_without_a_record_says_what_makes_one() -> None:
    assert "`pitsearch select --study craters` records it" in warned(selected_subject(judged=None))


def test_few_signal_pits_and_groups_across_slides_are_said(finished: Study, tiny: Dataset) -> None:
    subject = read_subject(finished)
    assert subject.status == summarise(finished)
    searched = subject.plan.search_set(tiny)
    signals = int((searched.is_signal & searched.is_scored).sum())
    assert f"Only {signals} signal pits are searched" in warned(subject)
    assert groups_across_slides(tiny) == 0
    assert "share plastic" not in warned(subject)
    places = {(pit.foil, pit.slide) for pit in tiny.pits}
    assert len(places) > 1
    joined = replace(tiny, groups=tiny.groups * 0)
    assert groups_across_slides(joined) == 1
    assert "1 group of pits that share plastic or look the same lie on more than one slide" in warned(
        replace(subject, data=joined)
    )


def test_a_winner_that_was_not_raced_is_tallied_from_the_study() -> None:
    winner = winner_of(selected_subject(judged=None))
    assert winner is not None
    assert (winner.tally.learned, winner.tally.trainings) == (5, 5)
    assert winner_of(subject_of((trial_of(1, 30, state=TrialState.PRUNED, rungs=1),))) is None
