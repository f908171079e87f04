"""The pages that users open, and how each is made and used: the one table of them. A page is one entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.search.pages import figure_pages, image_pages, study_pages
from tests.search.pages.material import Material
from tests.support.browser import Visit


@dataclass(frozen=True)
class PageCase:
    """A page, by its name.

    `make`: gives its address while it is there; `figures`: the ids of its figures; `use`: uses what it offers, and fails where
    that does not work; `excused`: how the faults begin that a page of another project has, each of which must occur.
    """

    name: str
    make: Callable[[Material], Iterator[str]]
    figures: tuple[str, ...] = ()
    use: Callable[[Visit], None] = lambda visited: None
    excused: tuple[str, ...] = ()
    # Whether it follows a reader who prefers it dark.
    has_dark: bool = False


# Rules that the page of Optuna's dashboard 0.21 breaks.
DASHBOARD = ("aria-input-field-name", "button-name", "color-contrast", "list", "page-has-heading-one", "region")

PAGES = (
    PageCase("curve", figure_pages.curve, ("curve",), figure_pages.use_legend),
    PageCase("front", figure_pages.front, ("front",), figure_pages.use_legend),
    PageCase("match", figure_pages.match, ("match",), figure_pages.use_legend),
    PageCase("report", study_pages.report, ("best-by-trials",), use=study_pages.use_report, has_dark=True),
    PageCase("parts", study_pages.parts, ("lines", "bars", "matrix", "parallel"), use=study_pages.use_gallery, has_dark=True),
    PageCase("suspects", image_pages.suspects),
    PageCase("hits", image_pages.hits, use=image_pages.use_hits),
    PageCase("queue", image_pages.queue, use=image_pages.use_hits),
    PageCase(
        "dashboard",
        study_pages.dashboard,
        use=study_pages.use_dashboard,
        excused=(*(f"axe: {rule}:" for rule in DASHBOARD), "the focus cannot be seen", "the page is", "text is cut: Compare"),
    ),
)
