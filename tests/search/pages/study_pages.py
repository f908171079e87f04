"""Pages of a study: its report, every kind of part that a report has, and Optuna's dashboard."""

from __future__ import annotations

import base64
import io
import threading
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from search.dashboard.app import make_app
from search.dashboard.guard import Access
from search.dashboard.server import listening, names_of
from search.report import contents
from search.report.figures.style import new_figure
from search.report.study_report import report_page, write_report
from search.report.subject import read_subject
from search.studies.study import Study
from tests.search.pages.material import Material
from tests.support.browser import Visit

LIGHTS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "10")


def report(material: Material) -> Iterator[str]:
    """The report of a small study."""
    study = Study("tiny", f"sqlite:///{material.share('finished_folder')}/studies.db")
    page = material.folder / "report.html"
    write_report(read_subject(study), page)
    yield page.as_uri()


def parts(material: Material) -> Iterator[str]:
    """Every kind of part of a report, larger than most."""
    subject = read_subject(Study("tiny", f"sqlite:///{material.share('finished_folder')}/studies.db"))
    generator = np.random.default_rng(0)
    drawings = []
    for name, kind in (("lines", "scatter"), ("bars", "bar"), ("matrix", "heatmap"), ("parallel", "parcoords")):
        figure = new_figure("epochs", "signal acceptance")
        values = generator.uniform(size=(4, 40))
        match kind:
            case "heatmap":
                figure.add_heatmap(z=values[:, :4])
            case "parcoords":
                figure.update_layout(margin_r=60)  # the numbers of the last axis
                figure.add_parcoords(dimensions=[{"label": f"axis {row}", "values": values[row]} for row in range(4)])
            case _:
                for row in values:
                    figure.add_trace({"type": kind, "x": np.arange(40), "y": row, "name": "a fold of some name"})
        drawings.append(contents.Drawing(name, f"A figure of {kind}", figure, "See the marks. Do not conclude from them. " * 6))
    listing = contents.Listing(
        "A wide table", tuple(f"column {n}" for n in range(14)), (("0.912 [0.874, 0.945]",) * 14,) * 3, "a note"
    )
    pixels = io.BytesIO()
    Image.fromarray(generator.integers(0, 255, (28, 28)).astype(np.uint8)).save(pixels, "PNG")
    image = f"data:image/png;base64,{base64.b64encode(pixels.getvalue()).decode()}"
    items = tuple(contents.GalleryItem(f"p{n:03}", f"foil f{n % 3}, P(signal) 0.{n:03}", (image,) * 10) for n in range(30))
    gallery = contents.Gallery("Missed signals", "Pits that the networks miss.", LIGHTS, items)
    text = contents.PlainText("A long text", "pitsearch launch --study a-name --storage an-address " * 6)
    page = material.folder / "parts.html"
    section = contents.Section(
        "all", "All parts", ("A paragraph with `code`.",), (*drawings, listing, gallery, text), ("A warning.",)
    )
    page.write_text(report_page(subject, [section]), encoding="utf-8")
    yield page.as_uri()


def use_report(visited: Visit) -> None:
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


def use_gallery(visited: Visit) -> None:
    """The gallery is filtered by the keyboard, and says how many pits are left."""
    page = visited.page
    page.get_by_label("Show pits whose name or words hold").press_sequentially("f1,")
    expect(page.locator(".shown")).to_have_text("10 shown")
    expect(page.locator(".pits > li:visible")).to_have_count(10)


def dashboard(material: Material) -> Iterator[str]:
    """A study in the dashboard, opened by the address that is printed."""
    storage = f"sqlite:///{material.share('finished_folder')}/studies.db"
    with warnings.catch_warnings(), listening("127.0.0.1", 0) as server:
        warnings.simplefilter("ignore")  # of Optuna, which in a server of its own are printed
        access = Access(names_of("127.0.0.1"), server.server_port)
        server.set_app(make_app(storage, access))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/?token={access.token}"
        finally:
            server.shutdown()
            thread.join()


def use_dashboard(visited: Visit) -> None:
    """The study opens, its history is drawn, a trial has its note and its pictures, and the report opens beside."""
    page = visited.page
    page.get_by_role("link", name="tiny").click()
    expect(page.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible()
    server = page.url.partition("/dashboard")[0]
    page.goto(f"{server}/dashboard/studies/1/trials?numbers=0")
    expect(page.get_by_text("background rejection at 90 % acceptance")).to_be_visible()
    pictures = page.locator("img[src*='/artifacts/']")
    expect(pictures).to_have_count(2)
    for number in range(2):
        pictures.nth(number).scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 500", arg=pictures.nth(number).element_handle())
    page.goto(f"{server}/report/1")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.goto(f"{server}/dashboard/studies/1")
    expect(page.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible()
