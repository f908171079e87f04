"""Labelling schemes: signal is class 0 in every one, and every label has its class or none."""

from __future__ import annotations

import pytest

from spaces.labelling import SCHEMES, SIGNAL

LABELS = ("candidate", "top", "bottom", "misc", "maybe", "scratch")


@pytest.mark.parametrize("name", SCHEMES)
def test_signal_is_the_first_class_of_every_scheme(name: str) -> None:
    scheme = SCHEMES[name]
    assert scheme.meaning
    assert scheme.classes[0] == SIGNAL
    assert len(set(scheme.classes)) == len(scheme.classes) >= 2
    for signal in LABELS:
        assert scheme.class_of(signal, signal, ()) == 0


@pytest.mark.parametrize("name", SCHEMES)
def test_every_label_has_a_class_of_the_scheme_or_none(name: str) -> None:
    scheme = SCHEMES[name]
    found = {label: scheme.class_of(label, "candidate", ("maybe",)) for label in LABELS}
    assert found.pop("maybe") is None
    assert {number for number in found.values() if number is not None} == set(range(len(scheme.classes)))


@pytest.mark.parametrize("name", SCHEMES)
def test_the_labels_that_a_scheme_needs_have_classes_of_their_own(name: str) -> None:
    scheme = SCHEMES[name]
    for label in scheme.needs:
        assert scheme.class_of(label, "candidate", ()) not in (0, None)
        # A data set that never scores a label trains on it in no scheme.
        assert scheme.class_of(label, "candidate", (label,)) is None


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("binary", {"candidate": 0, "top": 1, "bottom": 1, "misc": 1, "maybe": None, "scratch": 1}),
        ("three-way", {"candidate": 0, "top": 1, "bottom": 2, "misc": None, "maybe": None, "scratch": None}),
        ("four-way", {"candidate": 0, "top": 1, "bottom": 2, "misc": 3, "maybe": None, "scratch": None}),
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
