"""Labelling schemes: signal is class 0 in every one, and every label has its class or none."""

from __future__ import annotations

import re

import pytest

from spaces.choices.labelling import MAYBES, SCHEMES, SIGNAL, STYLES, Labelling, own_scheme
from spaces.errors import SpaceError

LABELS = ("candidate", "top", "bottom", "misc", "maybe", "scratch")


@pytest.mark.parametrize("name", SCHEMES)
def test_signal_is_the_first_class_of_every_scheme(name: str) -> None:
    scheme = SCHEMES[name]
    assert scheme.meaning
    assert scheme.classes[0] == (scheme.positive or SIGNAL)
    assert len(set(scheme.classes)) == len(scheme.classes) >= 2
    for signal in LABELS:
        assert scheme.class_of(signal, signal, ()) == 0


@pytest.mark.parametrize("name", SCHEMES)
def test_every_label_has_a_class_of_the_scheme_or_none(name: str) -> None:
    scheme = SCHEMES[name]
    found = {label: scheme.class_of(label, scheme.positive or "candidate", ("maybe",)) for label in LABELS}
    assert found.pop("maybe") == (scheme.classes.index("maybe") if "maybe" in scheme.classes else None)
    named = set(range(len(scheme.classes))) - {scheme.classes.index(name) for name in scheme.classes if name == "maybe"}
    assert {number for number in found.values() if number is not None} == named


@pytest.mark.parametrize("name", SCHEMES)
def test_the_labels_that_a_scheme_needs_have_classes_of_their_own(name: str) -> None:
    scheme = SCHEMES[name]
    for label in scheme.needs - {scheme.positive}:
        assert scheme.class_of(label, scheme.positive or "candidate", ()) not in (0, None)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("maybe", MAYBES)
@pytest.mark.parametrize("style", STYLES)
def test_every_labelling_gives_every_pit_a_target_and_a_weight(name: str, maybe: str, style: str) -> None:
    labelling = Labelling(name, maybe, style=style)
    for label in LABELS:
        for campaign in ("new", "old", ""):
            target, weight = labelling.target(label, campaign, "candidate", ("maybe",))
            assert len(target) == len(labelling.classes)
            assert sum(target) == pytest.approx(1.0)
            assert 0 <= weight <= 1
            signal = labelling.rule.positive or "candidate"
            if label == signal:
                assert target[0] == 1
            elif label != "maybe":
                assert target[0] < 1
            if campaign == "old" and style == "new":
                assert weight == 0
    assert len(set(labelling.classes)) == len(labelling.classes)


@pytest.mark.parametrize(
    ("maybe", "target", "weight"),
    [
        ("left out", None, 0.0),
        ("background", [0.0, 1 / 3, 1 / 3, 1 / 3], 1.0),
        ("signal", [1.0, 0.0, 0.0, 0.0], 1.0),
        ("own class", [0.0, 0.0, 0.0, 0.0, 1.0], 1.0),
        ("soft", [0.4, 0.2, 0.2, 0.2], 0.25),
    ],
)
def test_maybe_is_trained_on_as_asked(maybe: str, target: list[float] | None, weight: float) -> None:
    labelling = Labelling("four-way", maybe, soft_target=0.4, soft_weight=0.25)
    found, weighs = labelling.target("maybe", "new", "candidate", ("maybe",))
    assert weighs == weight
    assert target is None or found == pytest.approx(target)


def test_signal_has_a_class_and_no_weight_where_background_alone_is_trained_on() -> None:
    for maybe in MAYBES:
        labelling = Labelling("anomaly", maybe)
        target, weight = labelling.target("candidate", "new", "candidate", ("maybe",))
        assert (target[0], sum(target), weight) == (1.0, 1.0, 0.0)
    assert Labelling("anomaly").target("top", "new", "candidate", ("maybe",)) == ([0.0, 1.0], 1.0)
    assert Labelling("anomaly").target("maybe", "new", "candidate", ("maybe",))[1] == 0.0


def test_a_pit_of_the_old_style_weighs_half_where_asked() -> None:
    assert Labelling(style="old halved").target("top", "old", "candidate", ()) == ([0.0, 1.0], 0.5)
    assert Labelling(style="old halved").target("top", "new", "candidate", ()) == ([0.0, 1.0], 1.0)


def test_a_scheme_of_ones_own_is_a_table_from_labels_to_classes() -> None:
    labelling = Labelling("mine", own={"top": "signal", "bottom": "other", "misc": "other"})
    assert (labelling.rule.positive, labelling.classes) == ("top", ("top", "other"))
    assert [labelling.target(label, "", "candidate", ())[1] for label in ("top", "bottom", "misc", "candidate")] == [1, 1, 1, 0]


NO_QUESTION = "scheme 'mine' must give one label the class 'signal' and another a class against it, but has "


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (
            {"top": "surface"},
            NO_QUESTION + "surface;",
        ),
        (
            {"top": "signal"},
            NO_QUESTION + "signal;",
        ),
        (
            {"a": "signal", "b": "signal", "c": "x"},
            "scheme 'mine' must give the class 'signal' to one label, but gives",
        ),
    ],
)
def test_a_scheme_without_a_question_is_refused(table: dict[str, str], line: str) -> None:
    with pytest.raises(SpaceError, match=re.escape(line)):
        own_scheme("mine", table)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("binary", {"candidate": 0, "top": 1, "bottom": 1, "misc": 1, "maybe": None, "scratch": 1}),
        ("three-way", {"candidate": 0, "top": 1, "bottom": 2, "misc": None, "maybe": None, "scratch": None}),
        ("surfaces", {"candidate": 0, "top": 1, "bottom": 1, "misc": None, "maybe": None, "scratch": None}),
        ("surface-misc", {"candidate": 0, "top": 1, "bottom": 1, "misc": 2, "maybe": None, "scratch": None}),
        ("four-way", {"candidate": 0, "top": 1, "bottom": 2, "misc": 3, "maybe": None, "scratch": None}),
        ("five-way", {"candidate": 0, "top": 1, "bottom": 2, "misc": 3, "maybe": 4, "scratch": None}),
    ],
)
def test_the_schemes_are_the_documented_ones(name: str, classes: dict[str, int | None]) -> None:
    assert {label: SCHEMES[name].class_of(label, "candidate", ("maybe",)) for label in LABELS} == classes


def test_the_signal_is_signal_even_where_a_scheme_names_its_label() -> None:
    assert SCHEMES["four-way"].class_of("top", "top", ("maybe",)) == 0
    assert SCHEMES["four-way"].class_of("candidate", "top", ("maybe",)) is None


def test_schemes_need_the_labels_they_tell_apart() -> None:
    assert {name: set(SCHEMES[name].needs) for name in ("binary", "three-way", "four-way")} == {
        "binary": set(),
        "three-way": {"top", "bottom"},
        "four-way": {"top", "bottom", "misc"},
    }
