"""What the report says of the data is what the data set holds, and held-out pits are not shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from foils import Dataset
from search.report.contents import Drawing, Gallery, Listing
from search.report.sections import data as data_section
from search.report.sections.data import section
from search.report.subject import read_subject
from search.studies.study import Study
from search.text import counted


def test_sentences_tables_and_figures_agree_with_the_data(finished: Study, tiny: Dataset) -> None:
    subject = read_subject(finished)
    plan, data = subject.plan, section(subject)
    assert data.paragraphs == (
        f"The data set tiny holds {len(tiny)} pits under 6 lights, {int(tiny.is_signal.sum())} of them signal.",
        f"Trials see {counted(len(plan.folds), 'pit')}; {counted(len(plan.held_out), 'pit')} were locked away before the "
        "search and are opened by `select` alone.",
    )
    labels, left_out = (part for part in data.parts if isinstance(part, Listing))
    searched = Counter(map(str, plan.search_set(tiny).labels))
    held_out = Counter(map(str, plan.held_out_set(tiny).labels))
    roles = {"candidate": "signal", "maybe": "never scored"}
    assert labels.columns == ("label", "role", "pits", "searched", "held out", "left out between", "slides")
    for label, role, pits, in_search, locked, between, slides in labels.rows:
        assert role == roles.get(label, "background")
        assert (int(pits), int(in_search), int(locked)) == (tiny.counts()[label], searched[label], held_out[label])
        assert int(between) == int(pits) - int(in_search) - int(locked)
        assert int(slides) == len({pit.slide for pit in tiny.pits if pit.label == label})
    assert left_out.rows[0] == (
        f"{len(plan.held_out)} pits",
        "held out by a share of 0.2",
        "only `select` opens them, to test the winner",
    )
    assert ("5 pits labelled maybe", "never scored", "a person could not tell") in left_out.rows
    bars = {part.name: part.figure.data for part in data.parts if isinstance(part, Drawing)}
    assert [*bars] == ["pits-by-label", "pits-by-slide"]
    for traces in bars.values():
        assert sum(sum(trace.y) for trace in traces) == len(tiny)


def test_of_many_slides_the_fullest_are_drawn_in_the_order_of_their_numbers(
    finished: Study, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_section, "SLIDES", 2)
    (slides,) = [
        part for part in section(read_subject(finished)).parts if isinstance(part, Drawing) and part.name == "pits-by-slide"
    ]
    counts = Counter(f"{pit.foil}:{pit.slide}" for pit in tiny.pits)
    fullest = sorted(name for name, _ in counts.most_common(2))
    assert list(slides.figure.data[0].x) == fullest
    assert slides.caption.endswith(f"Shown are the 2 slides with most pits, of {len(counts)}.")


def test_the_contact_sheet_shows_each_label_at_all_lights_and_no_held_out_pit(finished: Study, tiny: Dataset) -> None:
    subject = read_subject(finished)
    (sheet,) = [part for part in section(subject).parts if isinstance(part, Gallery)]
    assert sheet.channels == ("1", "2", "3", "4", "9", "10")
    assert not {item.pit for item in sheet.items} & set(subject.plan.held_out)
    label = {pit.pit: pit.label for pit in tiny.pits}
    shown = Counter(label[item.pit] for item in sheet.items)
    searched = subject.plan.search_set(tiny).counts()
    assert shown == {name: min(4, count) for name, count in searched.items()}
    for item in sheet.items:
        assert item.words.startswith(f"{label[item.pit]}, foil f1, slide ")
        assert len(item.images) == 6
        assert all(image.startswith("data:image/png;base64,iVBOR") for image in item.images)


def test_of_data_that_is_gone_what_the_plan_knows_is_said(finished: Study) -> None:
    data = section(replace(read_subject(finished), data=None, data_fault="it is gone."))
    assert data.parts == () and data.warnings == ("it is gone.",)
    assert data.paragraphs[0].startswith("Trials see ")
