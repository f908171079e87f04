"""Pages of images: suspects, the hits of a scan, a queue of hits to label."""

from __future__ import annotations

from collections.abc import Iterator

from playwright.sync_api import expect

from foils import Dataset
from scan.gallery import Answers, Gallery, write_gallery
from search.analysis.suspects import Suspect
from search.report.suspect_files import write_suspects
from tests.search.pages.material import Material
from tests.support.browser import Visit
from tests.support.hits import crops_of, hit

LIGHTS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")


def suspects(material: Material) -> Iterator[str]:
    """Twelve suspects."""
    reason = "networks disagree with the label; identical to p009, labelled bottom"
    data: Dataset = material.share("tiny")
    suspects = [
        Suspect(index, str(data.labels[index]), "bottom", 0.981 - index / 100, 5, 5, reason if index % 2 else "")
        for index in range(0, 12)
    ]
    yield write_suspects(suspects, data, material.folder / "suspects.csv", "Suspect pits: study craters").as_uri()


def hits(material: Material) -> Iterator[str]:
    """Hits of two foils, at frames whose places are not known."""
    hits = [hit(number, slide=str(number // 40 + 1), foil=f"f{number // 80 + 1}") for number in range(120)]
    write_gallery(material.folder / "hits.html", hits, [crops_of(120, 10)], Gallery("120 hits, 1 accepted", LIGHTS))
    yield (material.folder / "hits.html").as_uri()


def queue(material: Material) -> Iterator[str]:
    """Hits to label, each with why, at places that are known."""
    hits = [hit(number, x_um=300.0 * number, y_um=90.0 * (number % 7)) for number in range(40)]
    why = tuple((one.hit, ("likely signal", "uncertain", "unlike the rest")[number % 3]) for number, one in enumerate(hits))
    answers = Answers(further=("top", "bottom"))
    write_gallery(
        material.folder / "queue.html", hits, [crops_of(40, 3)], Gallery("round-1: hits to label", LIGHTS[:3], answers, why=why)
    )
    yield (material.folder / "queue.html").as_uri()


def use_hits(visited: Visit) -> None:
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
