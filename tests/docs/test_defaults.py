"""Pages that say in prose what a command does by default say what it does."""

from __future__ import annotations

import pytest

from search import defaults
from tests.support.repository import ROOT


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_a_selection_takes_what_the_page_says(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"{defaults.TOP} trials, up to {defaults.CONFIRMATIONS} times each" in text
    if page == "README.md":
        assert f"up to {defaults.TOP * defaults.CONFIRMATIONS} cross-validations" in text


def test_the_ladder_page_shows_the_ladder_of_today() -> None:
    text = (ROOT / "docs" / "explanation" / "ladder.md").read_text(encoding="utf-8")
    assert f"`{defaults.LADDER}`" in text
