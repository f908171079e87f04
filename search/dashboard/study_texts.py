"""The note of a study in Markdown, and its report. Takes seconds to import: what reads a selection imports torch."""

from __future__ import annotations

from search.analysis.status import of_trials
from search.dashboard.notes import plain
from search.report.sections.answer import answer
from search.report.study_report import make_sections, report_page
from search.report.subject import Subject, read_subject
from search.report.winner import winner_of
from search.selection.confirmations import read_confirmations
from search.selection.held_out import recall
from search.selection.race_record import read_judged, read_race
from search.selection.selection_record import SELECTION, selected_key
from search.studies.launch_record import last_launch, now_of
from search.studies.study import Study


def study_note(study: Study, report: str) -> str:
    """Say what a study has found so far, and where more is to be read; `report`: the address of its report."""
    subject = _subject(study)
    status, plan = subject.status, subject.plan
    states = [
        (number, words)
        for number, words in (
            (status.complete, "complete"),
            (status.pruned, "pruned"),
            (status.paused, "paused"),
            (status.running, "running"),
            (status.waiting, "interrupted"),
            (status.failed, "failed"),
        )
        if number
    ]
    counts = ", ".join(f"{number} {words}" for number, words in states) or "none yet"
    pits = f"{len(plan.folds)} pits searched in {plan.ladder.folds} folds, {len(plan.held_out)} held out"
    options = plan.options
    return "\n".join(
        [
            plain(answer(subject, winner_of(subject))),
            "",
            f"**[The report of this study]({report})** has its figures, its warnings, and how to repeat it.",
            "",
            f"- trials: {counts}",
            f"- data: {plain(plan.folder)}, {pits}",
            f"- ladder {options.ladder}, pruner {options.pruner}, sampler {options.sampler}, seed {options.seed}",
        ]
    )


def study_report(study: Study) -> str:
    """Give the report of a study, as a page of HTML."""
    subject = read_subject(study)
    return report_page(subject, make_sections(subject))


def _subject(study: Study) -> Subject:
    """Read a study as its note needs it: without its data, and without looking at every row for damage."""
    opened, plan = study.optuna, study.plan
    trials, confirmations = opened.get_trials(deepcopy=False), read_confirmations(opened)
    selection = selected_key(study) if SELECTION in opened.user_attrs else None
    return Subject(
        study=study,
        plan=plan,
        trials=tuple(trials),
        status=of_trials(study.name, plan, trials, last_launch(study), now_of(study), confirmations),
        confirmations=confirmations,
        race=read_race(study),
        selection=selection,
        judged=None if selection is None else read_judged(study, selection.sha256),
        opening=None if selection is None else recall(study, selection),
        data=None,
        data_fault="",
    )
