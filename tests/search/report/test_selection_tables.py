"""What people see of a race and of a selection, against golden files."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from models.inference.calibration import Calibration
from search.report.selection_tables import opening_lines, race_table, selection_table
from search.selection.candidates import Candidate
from search.selection.confirm import ConfirmOptions, Entrant
from search.selection.confirmations import Drawn
from search.selection.final_model import FinalModel
from search.selection.held_out import HeldOut, Opening, OperatingPoint
from search.selection.outcome import Selection
from search.selection.selection_record import ModelKey
from search.selection.slide_validation import SlideValidation
from search.statistics.bootstrap import BootstrapShare
from search.statistics.intervals import wilson
from search.studies.lock import SeenBefore
from search.studies.study import Study
from search.trials.reliability import Tally
from spaces import Config
from spaces.choices.networks import Network
from tests.support.bundles import ensemble
from tests.support.golden import assert_golden, render
from tests.support.trials import PLAN

CONFIG = Config(network=Network("pitnet", depth=4, width=16))
CANDIDATES = (
    Candidate(7, CONFIG, wilson(200, 210), wilson(195, 210), Tally(30, 0, 30), 3_400_000, True, "winner", True, mean=0.894),
    Candidate(
        3,
        CONFIG,
        wilson(205, 210),
        wilson(194, 210),
        Tally(29, 0, 30),
        6_800_000,
        True,
        "kept, equal to the winner",
        mean=0.897,
    ),
    Candidate(5, CONFIG, wilson(206, 210), wilson(180, 210), Tally(9, 0, 20), 3_400_000, False, "dropped: its reliability"),
    Candidate(0, CONFIG, wilson(120, 210), None, Tally(5, 0, 5), 4_600_000, False, "not confirmed: not among the best 3"),
)
LOOK = HeldOut(52, 222, 0.9765, tuple(OperatingPoint(rate, 0.4, wilson(46, 52), wilson(210, 222)) for rate in (0.05, 0.01)))


class Planned(Study):
    """A study that is in no storage."""

    plan = PLAN


def selection(opening: Opening) -> Selection:
    model = FinalModel(ensemble(), {0.05: 0.4321, 0.01: 0.8765}, Calibration(1.38, 0.2251, 0.2013))
    by_slides = SlideValidation(wilson(160, 207), 4)
    return Selection(Planned("craters"), CANDIDATES, opening.model, model, opening, Path("models/0"), by_slides)


def test_the_table_of_a_selection() -> None:
    assert_golden(
        "select", render(selection_table(selection(Opening(1, 1, ModelKey(7, "ensemble", 5), LOOK, before=SeenBefore(0, 0.0)))))
    )


def test_the_numbers_of_a_selection_fit_a_window_of_80_columns() -> None:
    written = StringIO()
    Console(width=80, file=written).print(selection_table(selection(Opening(1, 1, ModelKey(7, "ensemble", 5), LOOK))))
    assert "7   0.929 [0.894, 0.953]   0.894    0.952   1.000 [0.938, 1.000]   3.40 M" in written.getvalue()
    assert "…" not in written.getvalue()


def test_the_table_of_a_selection_that_was_not_the_first_to_open_the_held_out_set() -> None:
    seen = SeenBefore(2, 0.31, "held_out.jsonl:7")
    opening = Opening(3, 4, ModelKey(7, "refit", 5), LOOK, before=seen)
    assert_golden("select_again", render(selection_table(selection(opening))))


def test_a_data_set_that_cannot_be_written_to_is_named() -> None:
    lines = [*opening_lines(Opening(1, 1, ModelKey(7, "ensemble", 5), LOOK))]
    assert lines[-1] == "  the data's folder cannot be written to: readings by other studies are not counted"


@pytest.mark.parametrize(("seen", "honest"), [((0, 0.0), True), ((0, 0.01), False), ((0, 0.0, "held_out.jsonl:2"), False)])
def test_a_set_of_which_something_was_seen_gives_no_honest_number(seen: tuple[int, float, str], honest: bool) -> None:
    opening = Opening(1, 1, ModelKey(7, "ensemble", 5), LOOK, before=SeenBefore(*seen))
    assert opening.honest == honest
    assert any("no honest number" in line for line in opening_lines(opening)) != honest


def test_the_table_of_a_race() -> None:
    ran = Entrant(7, CONFIG, (), Tally(30, 0, 30), None)
    dropped = "lost the race after 2 of 5: -0.087 in mean acceptance to trial 7"
    lost = replace(ran, number=3, tally=Tally(15, 0, 15), dropped=dropped)
    never = replace(ran, number=5, tally=Tally(2, 0, 8), dropped="its reliability cannot pass 0.8 within 5 repeats")
    share = BootstrapShare(0.9, np.linspace(0.8, 0.95, 101), 210)
    drawn = dict.fromkeys((7, 3), Drawn(share, replace(share, value=0.85)))
    searched = {number: wilson(200, 210) for number in (7, 3, 5)}
    assert_golden("confirm", render(race_table("craters", [ran, lost, never], searched, drawn, ConfirmOptions())))
