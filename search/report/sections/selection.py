"""The race of the best configurations, what the selection kept and dropped and why, and the reading of the held-out set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from search.analysis.status import configuration
from search.report.contents import Drawing, Listing, Section
from search.report.figures import race
from search.report.figures.readings import Racer
from search.report.selection_tables import opening_lines
from search.report.subject import Subject
from search.selection.confirmations import Confirmation, acceptance_of
from search.selection.race_record import CandidateRecord, RaceEntry, RaceRecord
from search.text import counted, sentence
from search.trials.objectives import amount
from search.trials.ranking import find_trial
from search.trials.records import RungResult


def section(subject: Subject) -> Section:
    """Lay out the race and the selection, or say how to come to them."""
    recorded = subject.race
    if recorded is None:
        return Section("selection", "The race and the selection", tuple(_before(subject)), ())
    racers = tuple(_racer(subject, entry, recorded) for entry in recorded.entries if _is_readable(subject, entry))
    figure = Drawing(
        "race",
        "Acceptance and reliability of the candidates on fresh splits",
        race(racers, recorded.reliability, subject.plan.options.working_point),
        "See who is kept, who left, and how far the acceptance of the search lies from that on fresh splits. Left: the bar "
        "is the 90 % interval, an open circle is one repeat, the mean of its folds. Right: a configuration is kept where its "
        "whole interval lies beyond the dashed line. Do not conclude from bars that overlap that two are equal: all ran on the "
        "same splits, and the selection compares them pair by pair.",
    )
    return Section(
        "selection",
        "The race and the selection",
        (*sentences(subject, recorded), *_held_out(subject)),
        (figure, _table(subject, recorded)),
    )


def _before(subject: Subject) -> Iterator[str]:
    study = subject.study.name
    if subject.selection is None:
        yield (
            "No configuration has been trained again on fresh splits yet. "
            f"`pitsearch select --study {study}` races the best, chooses one and opens the held-out set once."
        )
    else:
        yield (
            "An older version ran the race and did not record who left it and why; "
            f"`pitsearch select --study {study}` records it, and trains nothing that it has trained before."
        )
        yield from _held_out(subject)


def sentences(subject: Subject, recorded: RaceRecord) -> Iterator[str]:
    """Say how the race went, and what was selected."""
    ran = [entry for entry in recorded.entries if entry.dropped is None]
    yield (
        f"{counted(len(recorded.entries), 'configuration')} entered the race, each cross-validated up to {recorded.repeats} "
        f"times on fresh splits and seeds; {len(ran)} ran to the end. A configuration is kept where the lower bound of its "
        f"reliability passes {recorded.reliability:g}."
    )
    for entry in recorded.entries:
        if entry.dropped is not None:
            yield f"Trial {entry.trial} left the race: {entry.dropped}."
    if subject.judged is None:
        if subject.selection is None:
            yield f"Nothing is selected yet; `pitsearch select --study {subject.study.name}` does."
        return
    for candidate in subject.judged.candidates:
        if candidate.kept:
            yield f"Trial {candidate.trial}: {candidate.reason}, with {candidate.confirmed} on fresh splits."


def _held_out(subject: Subject) -> Iterator[str]:
    if subject.judged is not None:
        winner = next((one for one in subject.judged.candidates if one.wins), None)
        if winner is not None and winner.confirmed is not None and winner.unflattered is not None:
            yield (
                f"On fresh splits the winner has {winner.confirmed.value:.3f}; to be chosen among several flatters it: "
                f"{winner.unflattered} without that."
            )
        yield sentence(str(subject.judged.by_slides))
    if subject.opening is not None:
        yield from (sentence(line.strip()) for line in opening_lines(subject.opening))


def _is_readable(subject: Subject, entry: RaceEntry) -> bool:
    trial = find_trial(subject.trials, entry.trial)
    return trial is not None and RungResult.read(trial) is not None


def _racer(subject: Subject, entry: RaceEntry, recorded: RaceRecord) -> Racer:
    trial = find_trial(subject.trials, entry.trial)
    assert trial is not None  # its caller has seen it
    judged = _judged(subject, entry.trial)
    fate = "dropped" if entry.dropped is not None else "ran"
    if judged is not None:
        fate = "winner" if judged.wins else "kept" if judged.kept else "dropped"
    repeats = repeats_of(subject.confirmations, entry.trial, recorded.repeats)
    left = f", left after {len(repeats)}" if entry.dropped is not None else ""
    return Racer(
        number=entry.trial,
        words=f"trial {entry.trial} ({fate}{left})" if fate != "ran" else f"trial {entry.trial}",
        fate=fate,
        searched=RungResult.demand(trial).quoted.share,
        confirmed=judged.confirmed if judged is not None else None,
        repeats=tuple(acceptance_of(repeat) for repeat in repeats),
        reliability=entry.tally.reliability,
    )


def repeats_of(confirmations: Mapping[tuple[int, int], Confirmation], trial: int, most: int) -> list[Confirmation]:
    """Give the repeats of a trial that a race of so many could use, in order."""
    return [confirmations[key] for key in sorted(confirmations) if key[0] == trial and key[1] < most]


def _judged(subject: Subject, number: int) -> CandidateRecord | None:
    candidates = subject.judged.candidates if subject.judged is not None else ()
    return next((candidate for candidate in candidates if candidate.trial == number), None)


def _table(subject: Subject, recorded: RaceRecord) -> Listing:
    rows = []
    for entry in recorded.entries:
        trial, judged = find_trial(subject.trials, entry.trial), _judged(subject, entry.trial)
        repeats = repeats_of(subject.confirmations, entry.trial, recorded.repeats)
        by_repeat = [acceptance_of(repeat) for repeat in repeats]
        result = None if trial is None else RungResult.read(trial)
        rows.append(
            (
                str(entry.trial),
                str(judged.confirmed) if judged is not None and judged.confirmed is not None else "not known",
                f"{judged.mean:.3f}" if judged is not None and judged.mean is not None else "not known",
                ", ".join(f"{mean:.3f}" for mean in by_repeat) or "none",
                "not known" if result is None else f"{result.quoted.value:.3f}",
                str(entry.tally),
                "not known" if judged is None else amount(judged.cost),
                judged.reason if judged is not None else entry.dropped or "ran to the end",
                "" if trial is None else configuration(trial),
            )
        )
    columns = (
        *("trial", "acceptance [90 %]", "mean", "each repeat", "in the search", "reliability [90 %]", "cost"),
        *("kept or dropped", "configuration"),
    )
    note = (
        "Acceptance: on fresh splits and seeds, over all repeats. Mean: the same over false-positive rates of 0 to twice the "
        "working point, by which trials are compared. Each repeat: the acceptance, the mean of its folds. In the search: what "
        "the search chose by. Cost: multiply-adds a pit."
    )
    return Listing("Who ran, who left, and why", columns, tuple(rows), note)
