"""What a study's data set holds: pits by label, slide and style, a contact sheet, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from foils import Dataset
from foils.contact_sheet import choose_pits
from foils.frames import by_number
from foils.pit import Pit
from search.report import figures
from search.report.contents import Drawing, Gallery, Listing, Section
from search.report.pit_images import gallery
from search.report.subject import Subject
from search.text import counted

# Pits of each label on the contact sheet; pits named, and slides drawn, at most.
PER_LABEL, NAMED, SLIDES = 4, 10, 80
PARTS = SEARCHED, HELD_OUT, BETWEEN = "searched", "held out", "left out between"


def section(subject: Subject) -> Section:
    """Lay out the data of a study; what is known of it without its folder, where that is gone."""
    plan = subject.plan
    split = (
        f"Trials see {counted(len(plan.folds), 'pit')}; {counted(len(plan.held_out), 'pit')} were locked away before the "
        "search and are opened by `select` alone."
    )
    if subject.data is None:
        return Section("data", "The data", (split,), (), (subject.data_fault,))
    data = subject.data
    signals = int(plan.relabel(data).is_signal.sum())
    return Section(
        "data",
        "The data",
        (
            f"The data set {data.description.name} holds {counted(len(data), 'pit')} under "
            f"{counted(len(data.description.channels), 'light')}, {signals} of them signal.",
            split,
        ),
        (*_figures(subject, data), left_out(subject, data), _sheet(subject, data)),
    )


def _figures(subject: Subject, data: Dataset) -> list[Drawing | Listing]:
    side = _side_of(subject)
    by_label = {label: _sides(data, side, label) for label in data.counts()}
    by_slide = _parts(data, lambda pit: f"{pit.foil}:{pit.slide}")
    by_style = _parts(data, lambda pit: pit.style or "none")
    labels = tuple(by_label)
    fullest = sorted(by_slide, key=lambda name: -sum(by_slide[name].values()))[:SLIDES]
    shown = {name: by_slide[name] for name in sorted(fullest, key=by_number)}
    fewer = f" Shown are the {SLIDES} slides with most pits, of {len(by_slide)}." if len(by_slide) > SLIDES else ""
    drawings: list[Drawing | Listing] = [
        Drawing(
            "pits-by-label",
            "Pits by label",
            figures.pit_counts(by_label, PARTS, "label"),
            "How many pits carry each label, and which part of the study they are in. Few signal pits make every acceptance "
            "uncertain. The shares are those of the labelled pits, not those of particles on the foil.",
        ),
        _labels_table(data, by_label, subject),
        Drawing(
            "pits-by-slide",
            "Pits by slide",
            figures.pit_counts(shown, labels, "foil and slide"),
            "Where the pits lie. A label that stands on one slide only may be learned by what is particular to that slide."
            + fewer,
        ),
    ]
    if len(by_style) > 1:
        drawings.append(
            Drawing(
                "pits-by-style",
                "Pits by labelling style",
                figures.pit_counts(by_style, labels, "labelling style"),
                "Which campaign the labels came from. The criteria changed between them: the same pit may carry another label "
                "in another style.",
            )
        )
    return drawings


def _side_of(subject: Subject) -> Callable[[Pit], str]:
    """Tell which part of a study a pit is in."""
    held_out, between = {*subject.plan.held_out}, {*subject.plan.between}
    return lambda pit: HELD_OUT if pit.pit in held_out else BETWEEN if pit.pit in between else SEARCHED


def _sides(data: Dataset, side: Callable[[Pit], str], label: str) -> dict[str, int]:
    """Count the pits of a label in each part of the study."""
    counts = Counter(side(pit) for pit in data.pits if pit.label == label)
    return {name: counts[name] for name in PARTS if counts[name]}


def _parts(data: Dataset, place: Callable[[Pit], str]) -> dict[str, dict[str, int]]:
    """Count pits by place, then by label, signal first."""
    labels = list(data.counts())
    counts: dict[str, Counter[str]] = {}
    for pit in data.pits:
        counts.setdefault(place(pit), Counter())[pit.label] += 1
    return {name: {label: counts[name][label] for label in labels if counts[name][label]} for name in counts}


def _labels_table(data: Dataset, by_label: dict[str, dict[str, int]], subject: Subject) -> Listing:
    relabelled = subject.plan.relabel(data)
    scored, signal = set(relabelled.labels[relabelled.is_scored]), relabelled.description.signal
    rows = [
        (
            label,
            "signal" if label == signal else "background" if label in scored else "never scored",
            str(sum(parts.values())),
            *(str(parts.get(part, 0)) for part in PARTS),
            str(len({(pit.foil, pit.slide) for pit in data.pits if pit.label == label})),
        )
        for label, parts in by_label.items()
    ]
    columns = ("label", "role", "pits", *PARTS, "slides")
    note = f"{BETWEEN}: pits that share plastic with held-out ones, and so are in neither part."
    return Listing("Pits of each label", columns, tuple(rows), note)


def left_out(subject: Subject, data: Dataset) -> Listing:
    """List what was left out of the study, or is odd about its data, and why."""
    plan, rows = subject.plan, []
    if plan.held_out:
        rule = plan.options.holdout.rule
        rows.append((counted(len(plan.held_out), "pit"), f"held out by {rule}", "only `select` opens them, to test the winner"))
    if plan.between:
        what = f"{counted(len(plan.between), 'pit')}: {_named(plan.between)}"
        rows.append((what, "in neither part", "they share plastic with held-out pits, which would then be known"))
    if data.left_out:
        what = f"{counted(len(data.left_out), 'pit')}: {_named([pit.pit for pit in data.left_out])}"
        rows.append((what, "no crop", "they lie too near to the border of their frame"))
    relabelled = plan.relabel(data)
    for label, count in data.counts().items():
        unscored = label in data.description.ignore or label not in set(relabelled.labels)
        if unscored:
            why = "a person could not tell" if label in data.description.ignore else "the labelling schemes ask not of it"
            rows.append((f"{counted(count, 'pit')} labelled {label}", "never scored", why))
    rows += [(note, "kept", "said when the data was read") for note in data.notes]
    return Listing(
        "What was left out, and why", ("what", "how", "why"), tuple(rows) or (("nothing", "", "every pit is searched"),)
    )


def _named(pits: tuple[str, ...] | list[str]) -> str:
    return ", ".join(pits[:NAMED]) + (", ..." if len(pits) > NAMED else "")


def _sheet(subject: Subject, data: Dataset) -> Gallery:
    searched = subject.plan.search_set(data)
    chosen = choose_pits([*map(str, searched.labels)], PER_LABEL)
    order = [label for label in searched.counts() if label in chosen]
    shown = [(index, f"{label}, {_place(searched.pits[index])}") for label in order for index in chosen[label]]
    return gallery(
        "Contact sheet",
        f"At most {PER_LABEL} pits of each label, drawn at random, at all lights. Greys are stretched light by light, alike "
        "for all pits. Held-out pits are not shown. A few pits do not stand for their label.",
        searched,
        shown,
    )


def _place(pit: Pit) -> str:
    return f"foil {pit.foil}, slide {pit.slide}" + (f", style {pit.style}" if pit.style else "")
