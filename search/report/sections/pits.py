"""Pits worth a look, at all lights: missed signals, background that looks like signal, labels that networks do not believe."""

from __future__ import annotations

from collections.abc import Sequence

from foils import Dataset
from search.analysis.odd_pits import OddPit, doubted_labels, missed_signals, signal_like_background
from search.analysis.out_of_fold import ScoredPits
from search.analysis.suspects import Suspect
from search.report.contents import Gallery, Section
from search.report.pit_images import gallery
from search.report.sections.scores import judged_pits, searched_data
from search.report.subject import Subject
from search.text import counted

NAME, TITLE = "pits", "Pits worth a look"
# Pits of each gallery, at most.
MOST = 12


def section(subject: Subject) -> Section:
    """Lay out the pits that the networks get wrong, by scores out of fold; held-out pits are not among them."""
    data = searched_data(subject)
    if data is None:
        return Section(NAME, TITLE, ("Pits are shown where the data set is at hand.",), (), (subject.data_fault,))
    scored = judged_pits(subject, data)
    if scored is None:
        return Section(NAME, TITLE, ("No complete trial has scores out of fold: no pit can be judged yet.",), ())
    rate = subject.plan.options.working_point
    missed, passing = missed_signals(scored, rate), signal_like_background(scored, rate)
    suspects, judges = doubted_labels(subject.trials, subject.plan, data)
    sentences = (
        f"The scores are of {scored.source}. {_counts(scored, rate, len(missed), len(passing))}",
        _suspects_sentence(suspects, judges),
    )
    parts = [
        _odd("Missed signals", "Signal pits that are rejected, the least signal-like first.", missed, scored, data),
        _odd(
            "Background that looks like signal",
            "Background that is accepted, the most signal-like first.",
            passing,
            scored,
            data,
        ),
        _doubted(suspects, judges, data),
    ]
    return Section(NAME, TITLE, sentences, tuple(part for part in parts if part is not None))


def _counts(scored: ScoredPits, rate: float, missed: int, passing: int) -> str:
    """Say how many pits lie on the wrong side of the threshold."""
    signals = f"{missed} of {counted(int(scored.signals.sum()), 'signal pit')}"
    backgrounds = f"{passing} of {counted(int(scored.backgrounds.sum()), 'background pit')}"
    if scored.repeats == 1:
        return f"At the working point of {rate:.3g} they miss {signals} and accept {backgrounds}."
    return (
        f"At the working point of {rate:.3g} {signals} are accepted in fewer than half of {scored.repeats} cross-validations, "
        f"and {backgrounds} in half or more."
    )


def _suspects_sentence(suspects: Sequence[Suspect], judges: int) -> str:
    pits = len({one.index for one in suspects})
    networks = f"The networks of {counted(judges, 'trial')}, or" if judges else "No trial kept scores that tell of labels;"
    return (
        f"{networks} pits that show the same plastic contradict whether {counted(pits, 'pit')} {'is' if pits == 1 else 'are'} "
        "signal or background. `pitsearch diagnose` trains networks with a class for every label and writes a list of suspects "
        "that can be corrected."
    )


def _odd(title: str, first: str, pits: Sequence[OddPit], scored: ScoredPits, data: Dataset) -> Gallery | None:
    if not pits:
        return None
    shown = [
        (
            pit.index,
            f"{data.pits[pit.index].label}, P(signal) {pit.score:.3f}, accepted in {pit.accepted} of {pit.repeats}, "
            f"{_place(data, pit.index)}",
        )
        for pit in pits[:MOST]
    ]
    caption = (
        f"{first} {_shown(len(pits))} P(signal) is the mean over {counted(scored.repeats, 'cross-validation')}, by networks "
        "that did not train on the pit. A pit that looks wrongly labelled is worth a second opinion; it does not show that the "
        "label is wrong."
    )
    return gallery(title, caption, data, shown)


def _doubted(suspects: Sequence[Suspect], judges: int, data: Dataset) -> Gallery | None:
    if not suspects:
        return None
    shown = [
        (
            one.index,
            f"labelled {data.pits[one.index].label}, suggested {one.suggested}{_sure(one)}: {one.reason}, "
            f"{_place(data, one.index)}",
        )
        for one in suspects[:MOST]
    ]
    caption = (
        f"Labels that the networks of the best {counted(judges, 'trial')}, or a pit that shows the same plastic, contradict, "
        f"the surest first. {_shown(len(suspects))} Sure: (1 + P(suggested) - P(given)) / 2, the mean over trials. Networks "
        "that learned the same wrong labels agree with them: a pit that is not here may be labelled wrongly."
    )
    return gallery("Suspect labels", caption, data, shown)


def _sure(suspect: Suspect) -> str:
    """Say how sure the networks are, where any judged the pit."""
    if suspect.sure is None:
        return ""
    return f", sure {suspect.sure:.3f} in {suspect.agreed} of {counted(suspect.judged, 'trial')}"


def _shown(pits: int) -> str:
    return f"Shown are {MOST} of {pits}." if pits > MOST else f"All {pits} are shown." if pits > 1 else "It is the only one."


def _place(data: Dataset, index: int) -> str:
    pit = data.pits[index]
    return f"foil {pit.foil}, slide {pit.slide}" + (f", style {pit.style}" if pit.style else "")
