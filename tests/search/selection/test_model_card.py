"""What a user, a data set or a bundle calls things stands in a model card as text, and is no Markdown and no HTML."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

from markdown_it import MarkdownIt

from foils import Dataset
from models.inference.bundle_schema import SourceData
from search.selection.model_card import write_card
from tests.support.bundles import of_data

LINK, SCRIPT = "![x](http://example.org/a.png)", "<script>alert(1)</script>"


def test_names_are_text(tiny: Dataset) -> None:
    about = {"study": SCRIPT, "trial": 1, "fingerprint": "0", "held_out_pits": [], "plugins": [{"name": LINK, "sha256": "0"}]}
    bundle = replace(of_data(tiny), about=about, source=SourceData(LINK, SCRIPT))
    pits = tuple(replace(pit, label=f"{LINK} | {SCRIPT}") for pit in tiny.pits)
    origin: Any = MagicMock(opening=None)
    card = write_card(origin, bundle, replace(tiny, pits=pits))
    html = MarkdownIt().render(card)
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
