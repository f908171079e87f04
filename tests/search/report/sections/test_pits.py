"""The pits that the report shows are those that its sentences count, and none is held out."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset
from search.analysis.out_of_fold import scores_of_trial
from search.report.contents import Gallery
from search.report.sections.pits import MOST, _counts, _shown, section
from search.report.subject import Subject, read_subject
from search.studies.study import Study
from search.trials.stored_scores import pack_scores, read_scores
from tests.support.scored_pits import scored_pits


@pytest.fixture
def subject(finished: Study) -> Subject:
    """A study whose best trial was given random scores, so that many pits are wrong."""
    subject = read_subject(finished)
    for trial in subject.trials:
        stored = read_scores(trial, "5x6")
        assert stored is not None
        generator = np.random.default_rng(trial.number)
        trial.user_attrs.update(pack_scores("5x6", replace(stored, scores=generator.random(len(stored.scores)))))
    assert subject.status.best is not None
    best = subject.trials[subject.status.best.number]
    return replace(subject, status=replace(subject.status, best=best))


def test_galleries_show_what_the_sentences_count(subject: Subject, tiny: Dataset) -> None:
    shown, plan, best = section(subject), subject.plan, subject.status.best
    assert best is not None
    data = plan.search_set(tiny)
    scored = scores_of_trial(best, plan, data)
    assert scored is not None
    passes = scored.accepted(plan.options.working_point)[0]
    missed, passing = int((scored.signals & ~passes).sum()), int((scored.backgrounds & passes).sum())
    assert shown.paragraphs[0] == (
        f"The scores are of trial {best.number}, on the split of the search. At the working point of 0.1 they miss {missed} of "
        f"{int(scored.signals.sum())} signal pits and accept {passing} of {int(scored.backgrounds.sum())} background pits."
    )
    galleries = {part.title: part for part in shown.parts if isinstance(part, Gallery)}
    assert len(galleries["Missed signals"].items) == min(missed, MOST)
    assert len(galleries["Background that looks like signal"].items) == min(passing, MOST)
    said = r"The networks of 3 trials, or pits that show the same plastic contradict whether (\d+) pit"
    count = re.match(said, shown.paragraphs[1])
    assert count is not None
    suspects = galleries["Suspect labels"].items
    assert len({item.pit for item in suspects}) == min(int(count[1]), MOST) > 0
    words = re.compile(r"labelled \w+, suggested \w+, sure 0\.\d{3} in \d of \d trials?: networks disagree with the label")
    assert all(words.match(item.words) for item in suspects)
    of_pit = {pit.pit: place for place, pit in enumerate(data.pits)}
    for item in galleries["Missed signals"].items:
        assert item.words.startswith(f"candidate, P(signal) {scored.means[of_pit[item.pit]]:.3f}, accepted in 0 of 1, foil f1")
    shown_pits = {item.pit for gallery in galleries.values() for item in gallery.items}
    assert not shown_pits & set(plan.held_out)


def test_more_pits_than_are_shown_are_counted() -> None:
    assert [_shown(pits) for pits in (1, 2, MOST, MOST + 1)] == [
        "It is the only one.",
        "All 2 are shown.",
        f"All {MOST} are shown.",
        f"Shown are {MOST} of {MOST + 1}.",
    ]


def test_of_several_cross_validations_half_decide() -> None:
    scored = scored_pits(70, repeats=3)
    signals, backgrounds = int(scored.signals.sum()), int(scored.backgrounds.sum())
    assert _counts(scored, 0.05, 3, 1) == (
        f"At the working point of 0.05 3 of {signals} signal pits are accepted in fewer than half of 3 cross-validations, and "
        f"1 of {backgrounds} background pits in half or more."
    )


def test_without_data_or_scores_no_pit_is_shown(subject: Subject) -> None:
    gone = section(replace(subject, data=None, data_fault="it is gone."))
    assert gone.parts == () and gone.warnings == ("it is gone.",)
    none = section(replace(subject, trials=(), status=replace(subject.status, best=None)))
    assert none.paragraphs == ("No complete trial has scores out of fold: no pit can be judged yet.",)
