"""The answer of a study in one sentence, what was asked, and what the reader must know before believing it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from foils import Dataset
from foils.readiness import background_note
from search.analysis.search_history import span_of
from search.analysis.status import acceptance, configuration, trained
from search.report.contents import Drawing, Listing, PlainText, Section
from search.report.figures import readings
from search.report.figures.readings import Reading
from search.report.sections.repeat import launch_command
from search.report.selection_tables import FEW_SIGNALS, caveats
from search.report.subject import Subject
from search.report.tables import setup_rows
from search.report.winner import Winner, winner_of
from search.selection.held_out import reading
from search.statistics.fitted import pooled_remarks
from search.statistics.intervals import Share
from search.studies.learnable import unlearnable_folds
from search.text import counted, sentence
from search.trials.ladder import short_ladder
from search.trials.objectives import OBJECTIVES

WHEN = "%d %B %Y, %H:%M"


def section(subject: Subject) -> Section:
    """Lay out the answer."""
    winner = winner_of(subject)
    command = PlainText("The command", launch_command(subject))
    parts = (command,) if winner is None else (_figure(subject, winner), _numbers(subject, winner), command)
    return Section("answer", "The answer", (answer(subject, winner), *_asked(subject)), parts, tuple(warnings(subject, winner)))


def answer(subject: Subject, winner: Winner | None) -> str:
    """Say in one sentence what a study found."""
    if subject.status.nothing is not None:
        return sentence(subject.status.nothing)
    if winner is None:
        return "There is no answer yet: no trial has climbed the whole ladder."
    point = f"at the working point of {subject.plan.options.working_point:.0%} false positives"
    number, held_out = winner.trial.number, winner.held_out
    if held_out is None:
        return (
            f"No model is selected yet; the best so far is trial {number}, which in the search accepts {winner.searched} of "
            f"the signal {point}, too high a number because the search chose by it, and {_learned(winner)}; {_against(winner)}."
        )
    return (
        f"Trial {number} is selected: of the held-out pits it accepts {held_out.acceptance} of the signal and rejects "
        f"{held_out.rejection} of the background {point}, and {_learned(winner)}; {_against(winner)}."
    )


def _learned(winner: Winner) -> str:
    share = winner.tally.reliability
    if share is None:
        return "how reliably it learns is not known"
    return f"{share} of its trainings learned ({winner.tally.learned} of {winner.tally.trainings})"


def _against(winner: Winner) -> str:
    if winner.comparison is None:
        return "the network in use has not climbed the whole ladder, so that there is nothing to compare it with"
    baseline, gain = winner.comparison.baseline, winner.comparison.gain
    if winner.is_in_use or gain is None:
        return "it is the network in use itself"
    return (
        f"on the folds of the search its acceptance differs by {signed(gain)} from that of the network in use, trial "
        f"{baseline.number}, which accepts {acceptance(baseline)}"
    )


def signed(share: Share) -> str:
    """Say a difference with its interval."""
    return f"{share.value:+.3f} [{share.low:+.3f}, {share.high:+.3f}]"


def _asked(subject: Subject) -> Iterator[str]:
    plan, status = subject.plan, subject.status
    goals = " and ".join(OBJECTIVES[name].words for name in plan.options.objectives)
    known = dict(setup_rows(plan))
    yield (
        f"The study asks which configuration gives the best {goals}. Of the space, {known['space']}. Each trial is a "
        f"cross-validation of {plan.ladder.folds} folds on the ladder {plan.ladder}."
    )
    data = subject.data
    counts = "" if data is None else ", " + ", ".join(f"{count} {label}" for label, count in data.counts().items())
    pits = f"{len(plan.folds)} pits searched, {len(plan.held_out)} held out"
    yield f"The data is {plan.folder}{counts}: {pits}; fingerprint {plan.fingerprint[:12]}."
    began, ended = span_of(subject.trials)
    if began is not None:
        last = "no trial has ended yet" if ended is None else f"the last one ended on {ended:{WHEN}}"
        yield (
            f"The first trial started on {began:{WHEN}}, {last}: {status.complete} complete, {status.pruned} pruned, "
            f"{status.paused} paused, {status.failed} failed, {status.running} running, {status.waiting} interrupted. "
            "The command stands below, and its space under the last heading."
        )


def warnings(subject: Subject, winner: Winner | None) -> Iterator[str]:
    """Say what the reader must know before believing a number, a sentence each."""
    plan, status, opening = subject.plan, subject.status, subject.opening
    if status.unreadable:
        lost = counted(len(status.unreadable), "record")
        yield f"{lost} of the study cannot be read and are left out: {status.unreadable[0]}."
    if status.running:
        yield f"The study still runs, with {counted(status.running, 'trial')}; this is its state of the moment."
    if status.failed:
        yield f"{counted(status.failed, 'trial')} failed; the section on the search says why."
    if opening is not None and not opening.honest:
        yield (
            f"The held-out reading is {reading(opening)}, or its pits had been searched: they had been seen before this model "
            "was chosen, so that the number is too high by an unknown amount. Label new pits, or hold out a slide that was "
            "never searched."
        )
    if winner is not None and winner.is_selected and winner.judged is None:
        yield (
            "An older version made this selection and did not record how it judged the candidates; "
            f"`pitsearch select --study {subject.study.name}` records it, and trains nothing that it has trained before."
        )
    if opening is not None:
        yield from map(sentence, caveats(opening.held_out.signals, plan.ladder.epochs))
    elif (barely := short_ladder(plan.ladder.epochs)) is not None:
        yield sentence(barely)
    if subject.data is None:
        yield f"What needs the pits themselves is left out: {subject.data_fault}"
    else:
        yield from _of_data(subject, subject.data)
    if winner is not None:
        confirmed = winner.judged.confirmed if winner.judged is not None else None
        yield from map(sentence, pooled_remarks([winner.searched, confirmed]))


def _of_data(subject: Subject, data: Dataset) -> Iterator[str]:
    searched = subject.plan.search_set(data)
    signals = int((searched.is_signal & searched.is_scored).sum())
    if signals < FEW_SIGNALS:
        yield (
            f"Only {counted(signals, 'signal pit')} are searched: intervals are wide, and many configurations cannot be told "
            "apart."
        )
    for remark in (
        unlearnable_folds(searched, subject.plan.folds),
        *background_note(searched, subject.plan.options.working_point),
    ):
        if remark is not None:
            yield sentence(remark)
    across = groups_across_slides(data)
    if across:
        yield (
            f"{counted(across, 'group')} of pits that share plastic or look the same lie on more than one slide; a group stays "
            "in one fold, but the slides are not independent."
        )


def groups_across_slides(data: Dataset) -> int:
    """Count the groups of pits that lie on more than one slide."""
    slides: dict[int, set[tuple[str, str]]] = {}
    for number, pit in zip(np.asarray(data.groups).tolist(), data.pits, strict=True):
        slides.setdefault(number, set()).add((pit.foil, pit.slide))
    return sum(len(places) > 1 for places in slides.values())


def winner_readings(winner: Winner, subject: Subject) -> list[Reading]:
    """Give the acceptance of the selected or best trial, by how it was measured, beside that of the network in use."""
    shown = []
    if winner.held_out is not None:
        honest = winner.opening is not None and winner.opening.honest
        shown.append(Reading("held out", winner.held_out.acceptance, quoted=honest))
    by_slides = subject.judged.by_slides.acceptance if subject.judged is not None else None
    if by_slides is not None:
        shown.append(Reading("slides never seen", by_slides))
    if winner.judged is not None and winner.judged.unflattered is not None:
        shown.append(Reading("fresh splits, less optimism", winner.judged.unflattered))
    if winner.judged is not None and winner.judged.confirmed is not None:
        shown.append(Reading("fresh splits", winner.judged.confirmed))
    shown.append(Reading("in the search", winner.searched))
    if winner.comparison is not None and not winner.is_in_use:
        share = acceptance(winner.comparison.baseline)
        if share is not None:
            shown.append(Reading("network in use, in the search", share, in_use=True))
    return shown


def _figure(subject: Subject, winner: Winner) -> Drawing:
    name = f"trial {winner.trial.number}"
    caption = (
        "See how far the acceptance of one configuration depends on what it is measured on. The number of the search is too "
        "high, for the search chose by it; the held-out one is what to quote, where its pits had not been seen before."
        if winner.held_out is not None
        else "See the acceptance that the search chose by, beside that of the network in use. It is too high, for the best of "
        "many is also the luckiest; a selection measures it anew."
    )
    caption += (
        " Do not conclude from bars that overlap that two are equal: they share pits, and the paired difference in the "
        "sentence above tells more."
    )
    figure = readings(winner_readings(winner, subject), subject.plan.options.working_point)
    return Drawing("answer-readings", f"Signal acceptance of {name}, by how it was measured", figure, caption)


def _numbers(subject: Subject, winner: Winner) -> Listing:
    rows = [("trial", str(winner.trial.number)), ("configuration", configuration(winner.trial))]
    if winner.opening is not None and winner.held_out is not None:
        rows += [
            ("held-out acceptance", str(winner.held_out.acceptance)),
            ("held-out rejection", str(winner.held_out.rejection)),
            ("held-out pits", f"{winner.opening.held_out.signals} signal, {winner.opening.held_out.backgrounds} background"),
            ("reading", reading(winner.opening)),
        ]
    if subject.judged is not None and subject.judged.by_slides.acceptance is not None:
        rows.append(("acceptance on slides never seen", str(subject.judged.by_slides.acceptance)))
    if winner.judged is not None and winner.judged.confirmed is not None:
        rows.append(("acceptance on fresh splits", str(winner.judged.confirmed)))
    rows += [("acceptance in the search", str(winner.searched)), ("reliability", str(winner.tally))]
    if winner.comparison is not None and not winner.is_in_use:
        baseline, gain = winner.comparison.baseline, winner.comparison.gain
        rows.append((f"network in use, trial {baseline.number}", f"{acceptance(baseline)}, reliability {trained(baseline)}"))
        if gain is not None:
            rows.append(("difference on the same folds", signed(gain)))
    return Listing("The answer in numbers", ("what", "value [90 % interval]"), tuple(rows))
