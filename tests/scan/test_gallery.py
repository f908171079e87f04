"""The page of a scan: one file that shows every hit, escapes what comes from data, and writes a labels.csv by the keyboard."""

from __future__ import annotations

import base64
import io
import json
import resource
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext

from foils import load
from foils.open_image import Grey
from scan.errors import ScanError
from scan.gallery import Answers, Gallery, write_gallery
from scan.sheets import BATCH, CropStore, write_sheets
from tests.support.browser import browse, run_chromium
from tests.support.hits import crops_of, hit
from tests.support.tiny import write_dataset

GALLERY = Gallery("Hits of f1", ("1", "9", "10"))
# Until what was asked for is drawn.
WAIT = "const wait = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))); await wait();"
PRESS = "const press = (...keys) => keys.forEach((key) => document.dispatchEvent(new KeyboardEvent('keydown', {key})));"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all pages."""
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A window's memory: what its pages store is there when they are opened again."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    yield context
    context.close()


class Page(HTMLParser):
    """The scripts of a page, and whatever it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values, self.sheets, self.loaded, self.tags = "", [""][:0], [""][:0], {""}
        self._open: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._open = dict(attrs)
        self.loaded += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._open.get("id") == "values":
            self.values += data
        elif self._open.get("class") == "sheet":
            self.sheets.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = {}


def test_a_page_holds_every_hit_and_every_light_and_loads_nothing(tmp_path: Path) -> None:
    hits = [hit(number) for number in reversed(range(BATCH + 5))]
    crops = crops_of(len(hits))
    write_gallery(tmp_path / "hits.html", hits, (crops[:7], crops[7:]), GALLERY)
    page = Page((tmp_path / "hits.html").read_text())
    values = json.loads(page.values)
    assert not page.loaded
    assert [row[0] for row in values["hits"]] == [f"h{number:04d}" for number in range(BATCH + 5)]  # the best first
    sheets = [np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet)))) for sheet in page.sheets]
    assert [sheet.shape for sheet in sheets] == [(BATCH * 56, 3 * 56), (5 * 56, 3 * 56)]
    # Greys keep their order: the middle of each crop is what was drawn, stretched over all hits.
    drawn = crops[::-1, :, 28, 28].astype(int)
    shown = np.concatenate([sheet[28::56, 28::56] for sheet in sheets]).astype(int)
    for light in range(3):
        assert np.corrcoef(drawn[:, light], shown[:, light])[0, 1] > 0.99


def test_frames_stand_side_by_side_where_no_places_on_the_foil_are_known(tmp_path: Path) -> None:
    slides = ["10", "9", "2", "9", "1"]
    hits = [hit(number, slide=slide, x=600.0, y=400.0) for number, slide in enumerate(slides)]
    gallery = Gallery("Hits", ("1", "9", "10"), frame=(640, 480))
    write_gallery(tmp_path / "hits.html", hits, [crops_of(5)], gallery)
    values = json.loads(Page((tmp_path / "hits.html").read_text()).values)
    assert values["unit"] == "frames"
    places = {slide: (left, top) for _, slide, left, top, width, height in values["frames"] if (width, height) == (640, 480)}
    gap = 0.06 * 640
    across, down = pytest.approx(640 + gap, abs=0.01), pytest.approx(480 + gap, abs=0.01)
    assert places == {"1": (0, 0), "2": (across, 0), "9": (0, down), "10": (across, down)}  # by their numbers
    for row in values["hits"]:
        assert row[9:11] == [pytest.approx(places[row[2]][0] + 600), pytest.approx(places[row[2]][1] + 400)]
    on_foil = [hit(number, x_foil=10.0 * number, y_foil=5.0) for number in range(5)]
    write_gallery(tmp_path / "hits.html", on_foil, [crops_of(5)], gallery)
    values = json.loads(Page((tmp_path / "hits.html").read_text()).values)
    assert (values["unit"], values["frames"]) == ("px", [])


def test_what_comes_from_data_is_escaped(context: BrowserContext, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    hits = [hit(0, foil=evil, class_name=evil)]
    gallery = Gallery(evil, (evil, "9", "10"), Answers(evil, evil), style=evil, why=(("h0000", evil),))
    write_gallery(tmp_path / "hits.html", hits, [crops_of(1)], gallery)
    page = Page((tmp_path / "hits.html").read_text())
    assert "img" not in page.tags
    assert json.loads(page.values)["hits"][0][1] == evil
    images = "return [document.images.length, document.querySelector('.facts').textContent.includes('onerror')]"
    assert browse(context, tmp_path / "hits.html", f"{WAIT} {images};") == [0, True]


def test_an_empty_list_is_a_page_too(context: BrowserContext, tmp_path: Path) -> None:
    write_gallery(tmp_path / "hits.html", [], [], GALLERY)
    assert "0 hits" in (tmp_path / "hits.html").read_text()
    assert browse(context, tmp_path / "hits.html", f"{WAIT} return document.getElementsByClassName('row').length") == 0


def test_keys_label_and_the_labels_are_read_back_as_a_data_set(context: BrowserContext, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", frames=True, slides=1, listed=False, counts={"candidate": 20, "top": 10})
    hits = [hit(n, x=24.0 * (n % 8 + 1), y=24.0 * (n // 8 + 1), slide="1") for n in range(20)]
    write_gallery(tmp_path / "hits.html", hits, [crops_of(20)], Gallery("Hits", ("1", "9", "10"), style="first-scan"))
    keys = ", ".join(f"'{key}'" for key in ["y"] * 7 + ["n"] * 7 + ["m", "y", "u", "ArrowDown", "n", "x"])
    taken = f"{WAIT}{PRESS} press({keys}); await wait(); return [labels(), document.getElementById('status').textContent];"
    text, status = browse(context, tmp_path / "hits.html", taken)
    assert status == "7 candidate, 8 misc, 1 maybe"
    (data / "labels.csv").write_text(text)
    loaded = load(data)
    assert [pit.label for pit in loaded.pits] == ["candidate"] * 7 + ["misc"] * 7 + ["maybe", "misc"]
    assert [pit.pit for pit in loaded.pits] == [f"h{number:04d}" for number in [*range(15), 16]]
    assert {(pit.foil, pit.slide, pit.style) for pit in loaded.pits} == {("f1", "1", "first-scan")}
    assert (loaded.pits[0].x, loaded.pits[9].y) == (24.0, 48.0)


def test_choices_are_there_when_the_page_is_opened_again(context: BrowserContext, tmp_path: Path) -> None:
    hits = [hit(number) for number in range(4)]
    write_gallery(tmp_path / "hits.html", hits, [crops_of(4)], GALLERY)
    count = f"{WAIT} return choices.size;"
    assert browse(context, tmp_path / "hits.html", f"{PRESS} press('y', 'n', 'm'); {count}") == 3
    assert browse(context, tmp_path / "hits.html", count) == 3
    write_gallery(tmp_path / "hits.html", hits[:3], [crops_of(3)], GALLERY)  # of another list they are not
    assert browse(context, tmp_path / "hits.html", count) == 0


def test_the_map_leads_to_a_hit_and_sorting_shows_another_first(context: BrowserContext, tmp_path: Path) -> None:
    hits = [hit(number, x_um=100.0 * number, y_um=50.0 * number, spread=number / 200) for number in range(100)]
    write_gallery(tmp_path / "hits.html", hits, [crops_of(100)], GALLERY)
    click = (
        "const box = map.getBoundingClientRect(); const at = (n) => ({bubbles: true, pointerId: 1,"
        "clientX: box.left + (hits[n][9] - view.x) * view.scale, clientY: box.top + (hits[n][10] - view.y) * view.scale});"
        "for (const kind of ['pointerdown', 'pointerup']) map.dispatchEvent(new PointerEvent(kind, at(70)));"
        "drawList(); await wait(); drawList();"
        "const shown = document.querySelector('.row.chosen').dataset; const seen = shown.hit + shown.drawn;"
        "const before = view.scale; map.dispatchEvent(new WheelEvent('wheel', {deltaY: -400, offsetX: 9, offsetY: 9}));"
        "document.querySelectorAll('#sorts button')[1].click(); press('Home'); drawList();"
        "return [seen, document.querySelector('.row.chosen').dataset.hit, view.scale > 2 * before, rows.size < 30];"
    )
    assert browse(context, tmp_path / "hits.html", WAIT + PRESS + click) == ["h00701", "h0099", True, True]


def test_a_page_of_many_hits_stays_small_and_little_memory_is_used() -> None:
    """Noise, which compresses worst: 400 hits under ten lights may have the share of 5,000 hits' 42 MB."""
    generator = np.random.default_rng(0)
    most = 42_000_000 * 400 // 5000

    def parts() -> list[Grey]:
        return [generator.normal(120, 15, (20, 10, 56, 56)).astype(np.uint8)] * 20

    with CropStore(iter(parts())) as store:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sizes = [len(sheet) for sheet in write_sheets(store, range(400), most)]
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert sum(sizes) <= most
    assert grown < 60_000  # kilobytes


def test_crops_that_do_not_fit_the_hits_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "hits.html"
    for hits, crops, said in (
        ([hit(0), hit(1)], [crops_of(1)], "a crop for each of its 2 hits, but got 1"),
        ([hit(0)], [crops_of(1, channels=2)], "must have its 3 lights, but got 2"),
        ([hit(0), hit(1)], [crops_of(1), crops_of(1, edge=28)], "of one kind"),
    ):
        with pytest.raises(ScanError, match=said) as caught:
            write_gallery(path, hits, crops, GALLERY)
        assert "\n" not in str(caught.value)
    with pytest.raises(ScanError, match="must be writable"):
        write_gallery(tmp_path / "none" / "hits.html", [hit(0)], [crops_of(1)], GALLERY)
    assert list(tmp_path.iterdir()) == []
