"""The note of a study in Markdown, and its report. Takes seconds to import, with all that a report needs."""

from __future__ import annotations

from search.report.sections.answer import answer
from search.report.study_report import make_sections, report_page
from search.report.subject import read_subject
from search.report.winner import winner_of
from search.studies.study import Study
from search.text import as_markdown


def study_note(study: Study, report: str) -> str:
    """Say what a study has found so far, and where more is to be read; `report`: the address of its report."""
    subject = read_subject(study)
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
            as_markdown(answer(subject, winner_of(subject))),
            "",
            f"**[The report of this study]({report})** has its figures, its warnings, and how to repeat it.",
            "",
            f"- trials: {counts}",
            f"- data: {as_markdown(plan.folder)}, {pits}",
            f"- ladder {options.ladder}, pruner {options.pruner}, sampler {options.sampler}, seed {options.seed}",
        ]
    )


def study_report(study: Study) -> str:
    """Give the report of a study, as a page of HTML."""
    subject = read_subject(study)
    return report_page(subject, make_sections(subject))
