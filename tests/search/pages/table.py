"""The pages that users open, and how each is made and used: the one table of them. A page is one entry."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import numpy as np
import optuna_dashboard
from playwright.sync_api import expect

from foils import Dataset
from scan.comparison import compare
from scan.gallery import Answers, Gallery, write_gallery
from scan.match_figure import match_figure
from scan.place_list import Places
from search.analysis.learning_curve import Curve, CurvePoint, Plot, Rise
from search.analysis.suspects import Suspect
from search.report import learning_curve_figure, pareto_figure
from search.report.pages import write_figure_page
from search.report.study_report import write_report
from search.report.subject import read_subject
from search.report.suspect_files import write_suspects
from search.statistics.intervals import wilson
from search.storage.connect import open_storage
from search.studies.pareto import ParetoTrial
from search.studies.study import Study
from search.trials.reliability import Tally
from spaces import Config
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import Balance
from spaces.choices.losses import Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from tests.support.browser import Visit
from tests.support.hits import crops_of, hit

LIGHTS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")


class _Quiet(WSGIRequestHandler):
    """Says nothing of what is asked for."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Material:
    """What pages are made of."""

    # Empty, for the files of a page.
    folder: Path
    # Gives what the tests share, by its name: it is made when the first page needs it.
    share: Callable[[str], Any]


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


def _curve(material: Material) -> Iterator[str]:
    counts = ((0.1, 120, 14, 17), (0.2, 141, 15, 16), (0.35, 152, 15, 15), (0.6, 163, 15, 15), (1.0, 172, 15, 15))
    points = tuple(
        CurvePoint(share, (166 * share, 698 * share), wilson(accepted, 207), learned, trainings)
        for share, accepted, learned, trainings in counts
    )
    config = Config(
        network=Network("pitnet", depth=3, width=32, norm="batch", dropout=0.25),
        optimiser=Optimiser("adamw", 3.2e-3, weight_decay=1e-2, schedule="one-cycle"),
        loss=Loss("focal", focus=2.0),
        balance=Balance("sampled"),
        augmentation=Augmentation(turns="symmetries"),
    )
    curve = Curve("craters", config, Plot(repeats=3), ("signal", "background"), points, Rise(0.6, 1.0, 0.043, 0.011, 0.075))
    page = material.folder / "curve.html"
    learning_curve_figure.write_figure(curve, page)
    yield page.as_uri()


def _front(material: Material) -> Iterator[str]:
    generator = np.random.default_rng(0)
    costs = np.sort(10 ** generator.uniform(4, 8, 30))
    # In the order of their costs the first ones climb: they are the front.
    members = tuple(
        ParetoTrial(
            number,
            wilson(120 + 5 * number if number < 14 else 110 + number, 207),
            float(cost),
            None,
            Tally(5, 0, 5),
            Config(),
            in_use=number == 20,
            on_front=number < 14,
        )
        for number, cost in enumerate(costs)
    )
    page = material.folder / "front.html"
    pareto_figure.write_figure("craters", "cost", 0.05, members, page)
    yield page.as_uri()


def _match(material: Material) -> Iterator[str]:
    generator = np.random.default_rng(0)
    truth = generator.uniform(0, 4000, (60, 2))
    found = truth[:50] + generator.normal(0, 4, (50, 2))
    points = np.concatenate([found, generator.uniform(0, 4000, (40, 2))])
    scores = np.concatenate([generator.beta(6, 2, 50), generator.beta(2, 6, 40)])
    hits, places = (
        Places(Path(name), tuple(map(str, range(len(these)))), these, scores=values, accepted=accepted)
        for name, these, values, accepted in (
            ("hits.csv", points, scores, scores >= 0.4),
            ("truth.csv", truth, None, None),
        )
    )
    page = material.folder / "match.html"
    write_figure_page(match_figure("hits", compare(hits, places)), "match", "hits against truth", page)
    yield page.as_uri()


def _report(material: Material) -> Iterator[str]:
    study = Study("tiny", f"sqlite:///{material.share('finished_folder')}/studies.db")
    page = material.folder / "report.html"
    write_report(read_subject(study), page)
    yield page.as_uri()


def _suspects(material: Material) -> Iterator[str]:
    reason = "networks disagree with the label; identical to p009, labelled bottom"
    data: Dataset = material.share("tiny")
    suspects = [
        Suspect(index, str(data.labels[index]), "bottom", 0.981 - index / 100, 5, 5, reason if index % 2 else "")
        for index in range(0, 12)
    ]
    yield write_suspects(suspects, data, material.folder / "suspects.csv", "Suspect pits: study craters").as_uri()


def _hits(material: Material) -> Iterator[str]:
    hits = [hit(number, slide=str(number // 40 + 1), foil=f"f{number // 80 + 1}") for number in range(120)]
    write_gallery(material.folder / "hits.html", hits, [crops_of(120, 10)], Gallery("120 hits, 1 accepted", LIGHTS))
    yield (material.folder / "hits.html").as_uri()


def _queue(material: Material) -> Iterator[str]:
    hits = [hit(number, x_um=300.0 * number, y_um=90.0 * (number % 7)) for number in range(40)]
    why = tuple((one.hit, ("likely signal", "uncertain", "unlike the rest")[number % 3]) for number, one in enumerate(hits))
    answers = Answers(further=("top", "bottom"))
    write_gallery(
        material.folder / "queue.html", hits, [crops_of(40, 3)], Gallery("round-1: hits to label", LIGHTS[:3], answers, why=why)
    )
    yield (material.folder / "queue.html").as_uri()


def _dashboard(material: Material) -> Iterator[str]:
    app = optuna_dashboard.wsgi(open_storage(f"sqlite:///{material.share('finished_folder')}/studies.db"))
    with warnings.catch_warnings(), make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        warnings.simplefilter("ignore")  # of Optuna, which in a server of its own are printed
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def _use_report(visited: Visit) -> None:
    """Figures are saved in both formats; the theme changes by a button."""
    page = visited.page
    for form, start in (("svg", b"<svg"), ("png", b"\x89PNG")):
        with page.expect_download() as download:
            page.locator(f"button[data-format={form}]").first.press("Enter")
        assert download.value.suggested_filename.endswith(f".{form}")
        assert download.value.path().read_bytes().startswith(start)
    expect(page.locator("html")).to_have_attribute("data-drawn", "light")
    page.get_by_role("button", name="Dark").press("Enter")
    expect(page.locator("html")).to_have_attribute("data-drawn", "dark")


def _use_legend(visited: Visit) -> None:
    """A trace goes and comes back by a click on its name."""
    (before,) = visited.check("figures")
    for traces in (before["traces"] - 1, before["traces"]):
        visited.page.locator(".legendtoggle").last.click()
        visited.page.wait_for_function(f"() => window.pageChecks.figures()[0].traces <= {traces}")


def _use_hits(visited: Visit) -> None:
    """Label, sort, zoom and change the foil by the keyboard alone; the labels are downloaded as a file."""
    page = visited.page
    for key in ("y", "n", "m", "u", "ArrowDown", "n"):
        page.keyboard.press(key)
    expect(page.get_by_role("status")).to_have_text("1 candidate, 2 misc")
    page.get_by_role("button", name="place").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="place")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Home")
    expect(page.locator(".row.chosen")).to_be_in_viewport()
    scale = page.evaluate("() => view.scale")
    page.keyboard.press("+")
    assert page.evaluate("() => view.scale") > scale
    with page.expect_download() as download:
        page.get_by_role("button", name="Download labels.csv").press("Enter")
    assert download.value.path().read_text(encoding="utf-8").splitlines()[1].startswith("h0000,candidate,f1,1,")
    expect(page.get_by_role("img", name="h0000 under the lights")).to_be_visible()


def _use_dashboard(visited: Visit) -> None:
    """The study opens, and its history is drawn."""
    page = visited.page
    page.get_by_role("link", name="tiny").click()
    expect(page.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible()


# Rules that the page of Optuna's dashboard 0.21 breaks.
DASHBOARD = ("aria-input-field-name", "button-name", "color-contrast", "list", "page-has-heading-one", "region")

PAGES = (
    PageCase("curve", _curve, ("curve",), _use_legend),
    PageCase("front", _front, ("front",), _use_legend),
    PageCase("match", _match, ("match",), _use_legend),
    PageCase("report", _report, ("best-by-trials",), use=_use_report, has_dark=True),
    PageCase("suspects", _suspects),
    PageCase("hits", _hits, use=_use_hits),
    PageCase("queue", _queue, use=_use_hits),
    PageCase(
        "dashboard",
        _dashboard,
        use=_use_dashboard,
        excused=(*(f"axe: {rule}:" for rule in DASHBOARD), "the focus cannot be seen", "the page is", "text is cut: Compare"),
    ),
)
