"""Labels together: case, what is ignored, signal and background."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from foils import DataError, load
from foils.description import Channel, Description
from foils.label_rules import check_labels
from foils.pit import Pit
from tests.support.tiny import write_dataset

CHANNEL = (Channel("1", "backlit"),)


def faults(given: Sequence[str], **described: object) -> list[str]:
    description = Description("mine", "candidate", "{pit}_{channel}.png", 12, CHANNEL, **described)  # type: ignore[arg-type]
    pits = [Pit(f"p{number}", label, "f1", "1") for number, label in enumerate(given)]
    collected: list[str] = []
    check_labels(pits, {pit.pit: number for number, pit in enumerate(pits, 2)}, description, collected)
    return collected


GOOD = ["candidate"] * 6 + ["top"] * 6


def test_labels_that_differ_by_case_alone_are_one_fault() -> None:
    assert faults(GOOD) == []
    assert faults([*GOOD, "Top", "Top"]) == [
        "labels.csv:14: labels must differ by more than case, but got 'Top' on 2 pits and 'top' on 6; make them one."
    ]
    assert faults([*GOOD, "Maybe"]) == [
        "labels.csv:14: labels must differ by more than case, but got 'Maybe' on 1 pits and 'maybe' on 0; make them one."
    ]
    assert faults(["Candidate"] * 6 + ["top"] * 6) == [
        "labels.csv:2: labels must differ by more than case, but got 'Candidate' on 6 pits and 'candidate' on 0; make them one."
    ]


def test_an_ignored_label_that_no_pit_bears_is_a_fault() -> None:
    assert faults([*GOOD, "unsure"], ignore=("maybe", "unsure")) == []
    assert faults([*GOOD, "unsure"] * 2, ignore=("unsuer",)) == [
        "foil.toml: `ignore` must hold labels of pits, but got 'unsuer', which no pit bears (labels found: candidate, top, "
        "unsure); correct or remove it.",
        *(
            f"labels.csv:{line}: a label not listed in foil.toml must be on at least 5 pits, but got 'unsure' on 2; correct "
            "it, or list it: labels = [...] in foil.toml."
            for line in (14, 27)
        ),
    ]
    assert faults(GOOD, ignore=("unsure",), labels=("candidate", "top", "unsure")) == []


@pytest.mark.parametrize(
    ("counts", "got"),
    [
        ({"candidate": 12}, "12 labelled 'candidate', the signal, and 0 under `ignore`"),
        ({"candidate": 12, "maybe": 9}, "12 labelled 'candidate', the signal, and 9 under `ignore` ('maybe')"),
    ],
)
def test_data_without_background_are_refused(tmp_path: Path, counts: dict[str, int], got: str) -> None:
    folder = write_dataset(tmp_path / "data", counts=counts)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (
        f"labels.csv: some pits must be background, but got {got}; label background, or correct `ignore` in foil.toml.",
    )
    assert len(load(folder, labelled=False)) == sum(counts.values())
