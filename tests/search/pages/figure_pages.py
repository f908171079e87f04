"""Pages of one figure: a learning curve, a front, a match."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from scan.comparison import compare
from scan.match_figure import match_figure
from scan.place_list import Places
from search.analysis.learning_curve import Curve, CurvePoint, Plot, Rise
from search.report import learning_curve_figure, pareto_figure
from search.report.pages import write_figure_page
from search.statistics.intervals import wilson
from search.studies.pareto import ParetoTrial
from search.trials.reliability import Tally
from spaces import Config
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import Balance
from spaces.choices.losses import Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from tests.search.pages.material import Material
from tests.support.browser import Visit


def curve(material: Material) -> Iterator[str]:
    """Five shares, of a configuration that takes two lines to say."""
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


def front(material: Material) -> Iterator[str]:
    """A front of 14 trials, and as many others."""
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


def match(material: Material) -> Iterator[str]:
    """A list of hits that finds most of its places."""
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


def use_legend(visited: Visit) -> None:
    """A trace goes and comes back by a click on its name."""
    (before,) = visited.check("figures")
    for traces in (before["traces"] - 1, before["traces"]):
        visited.page.locator(".legendtoggle").last.click()
        visited.page.wait_for_function(f"() => window.pageChecks.figures()[0].traces <= {traces}")
