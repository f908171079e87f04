"""The checks of pages see every fault that is planted, and none on a sound page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.browser import faults_of, run_chromium, visit

SOUND = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sound</title></head>
<body><main><h1>Sound</h1><p>Text that wraps where the window is narrow, however long it may be, for nothing holds it.</p>
<button type="button">Press</button><div style="overflow: hidden; width: 1px; height: 1px">heard, not seen</div>
</main></body></html>
"""
FAULTY = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Faulty</title></head>
<body><h1>Faulty</h1>
<img src="https://example.org/there.png" alt="of another place">
<p style="color: #bbb; background: #fff">pale</p>
<div style="width: 40px; overflow: hidden; white-space: nowrap">longer than its box</div>
<div style="width: 100px; overflow: auto; white-space: nowrap" tabindex="0" role="region" aria-label="part" id="part">much
longer than its box</div>
<div style="width: 3000px; height: 5px"></div>
<p style="position: absolute; top: 400px">one above</p><p style="position: absolute; top: 405px">the other</p>
<canvas id="blank" width="30" height="30"></canvas>
<div class="js-plotly-plot" id="undrawn"><button type="button" aria-label="Share chart...">up</button></div>
<button style="outline: none" type="button">unseen</button>
<button id="trap" type="button">trap</button><button type="button">beyond</button>
<script>
Object.assign(document.getElementById("undrawn"),
  {_fullData: [{visible: true, x: [1], y: [2]}, {visible: "legendonly"}]});
document.getElementById("trap").addEventListener("keydown", (event) => event.preventDefault());
console.error("printed");
setTimeout(() => { throw new Error("thrown"); });
</script></body></html>
"""
SEEN = (
    "console: printed",
    "error: thrown",
    "the page asks for https://example.org/there.png",
    "a figure is not drawn: of undrawn, 0 of 1 traces",
    "a figure offers to upload itself: undrawn",
    "an image is not drawn: of another place",
    "a canvas is of one colour: blank",
    "the page is 3008 pixels wide, and the window 700",
    "a part of the page scrolls sideways: part",
    "text is cut: longer than its box",
    "texts overlap: one above / the other",
    "axe: color-contrast:",
    "axe: landmark-one-main:",
    "the keyboard does not reach button beyond",
    "the focus cannot be seen on button unseen",
)


@pytest.mark.slow
def test_every_planted_fault_is_seen_and_a_sound_page_has_none(tmp_path: Path) -> None:
    pages = {"sound": SOUND, "faulty": FAULTY}
    faults = {}
    with run_chromium() as chromium:
        for name, text in pages.items():
            (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
            with visit(chromium, (tmp_path / f"{name}.html").as_uri(), 700) as visited:
                faults[name] = faults_of(visited)
    assert faults["sound"] == []
    assert [seen for seen in SEEN if not any(fault.startswith(seen) for fault in faults["faulty"])] == []
