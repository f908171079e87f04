"""What the report says of a search, against the tables of the study."""

from __future__ import annotations

from dataclasses import replace

from optuna.trial import TrialState

from search.analysis.search_history import search_history
from search.analysis.status import acceptance
from search.report.contents import Drawing, Listing
from search.report.sections.search_history import saving_sentence, section
from tests.support.subjects import FATES, subject_of, trial_of
from tests.support.trials import PLAN


def test_trials_are_counted_by_their_fates() -> None:
    laid_out = section(subject_of())
    assert laid_out is not None
    assert laid_out.paragraphs[0] == (
        "5 trials have come as far as they are to: 3 complete, of which 1 had been paused and taken up again, 1 pruned and 1 "
        "paused; 1 failed."
    )
    assert [part.name for part in laid_out.parts if isinstance(part, Drawing)] == ["best-by-trials", "best-by-time", "rungs"]


def test_what_pruning_saved_is_said_in_epochs_and_in_time() -> None:
    history = search_history(FATES, PLAN.ladder)
    assert saving_sentence(history) == (
        "2 paused or pruned trials left out 252 of the 750 fold-epochs that whole cross-validations of all of them take (34%), "
        "8 min 24 s of training at each trial's own pace."
    )
    whole = search_history(FATES[:1], PLAN.ladder)
    assert saving_sentence(whole) == "No trial was paused or pruned, so that nothing was saved."


def test_the_audit_is_that_of_the_study_or_the_page_says_why_there_is_none() -> None:
    unpruned = replace(PLAN, options=replace(PLAN.options, pruner="none"))
    promoted = replace(PLAN, options=replace(PLAN.options, pruner="promotion"))
    subjects = subject_of(), subject_of(plan=unpruned), subject_of(plan=promoted)
    last = [laid_out.paragraphs[-1] for laid_out in map(section, subjects) if laid_out is not None]
    assert last == [
        "Audit of the pruner: no audited trial has climbed the whole ladder yet.",
        "Nothing is pruned in this study.",
        "There is no audit, for no trial is ended for good: a paused one goes on when others prove worse.",
    ]


def test_the_best_trials_and_the_failed_ones_are_listed() -> None:
    laid_out = section(subject_of())
    assert laid_out is not None
    best, failed = (part for part in laid_out.parts if isinstance(part, Listing))
    assert [row[0] for row in best.rows] == ["3", "5", "0"]
    assert [row[1] for row in best.rows] == [str(acceptance(FATES[number])) for number in (3, 5, 0)]
    assert failed.rows == (("trial 4: RuntimeError: no such kernel",),)


def test_a_study_without_trials_has_no_such_section() -> None:
    assert section(subject_of(())) is None


def test_a_study_that_only_began_has_one() -> None:
    laid_out = section(subject_of((trial_of(0, 20, state=TrialState.RUNNING, rungs=1),)))
    assert laid_out is not None
    assert not [part for part in laid_out.parts if isinstance(part, Listing)]
