"""The lists of what may be searched: nothing of any table is missing, whoever adds to it."""

from __future__ import annotations

import re

import pytest

from search.report.space_tables import choices_table, space_table
from spaces.axes import AXES, Range
from spaces.config import TABLES
from spaces.named_spaces import READY, ready
from tests.support.golden import render


def test_every_choice_of_every_axis_has_its_line_with_a_meaning() -> None:
    lines = render(choices_table(), width=250).splitlines()
    for key, axis in AXES.items():
        for name in TABLES.get(axis.target or key, [""]):
            found = [line for line in lines if re.match(rf"{re.escape(key)} +{re.escape(name)}  +(yes +)?\S.*\w\w\w", line)]
            assert len(found) == 1, (key, name)
    for name in READY:
        assert any(line.startswith(f"{name} ") for line in lines)


@pytest.mark.parametrize("name", READY)
def test_a_space_shows_what_it_varies_and_what_it_holds(name: str) -> None:
    space = ready(name)
    shown = render(space_table(name, space), width=250)
    rows = {line.split()[0] for line in shown.splitlines()[2:]} - {"held:"}
    varied = {key for key in AXES if isinstance(domain := space.domain(key), Range) or len(domain) != 1}
    assert varied <= rows
    assert not rows & (set(AXES) - varied)
