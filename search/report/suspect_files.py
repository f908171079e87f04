"""Write suspects down: as CSV, to be corrected and read back, and as a page of HTML with their images, to be looked at.

Knows nothing of how they were found.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from foils import Dataset
from foils.atomic_write import write_whole
from foils.images import Grey
from search.analysis.suspects import Suspect
from search.errors import StudyError

COLUMNS = ("pit", "label", "suggested", "sure", "repeats", "reason", "corrected")
# Pixels of the page for one pixel of a pit.
ENLARGED = 3

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 24px; color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; }
th, td { padding: 6px 7px; text-align: left; vertical-align: top; border-bottom: 1px solid #d8d8d8; }
th { position: sticky; top: 0; background: #fff; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.reason { min-width: 9em; max-width: 9em; } td.images { white-space: nowrap; }
figure { display: inline-block; margin: 0 4px 0 0; text-align: center; color: #666; font-size: 12px; }
img { display: block; image-rendering: pixelated; }
.given { color: #b34700; } .suggested { color: #00568f; font-weight: 600; }
"""


def write_suspects(suspects: Sequence[Suspect], data: Dataset, path: Path, title: str) -> Path:
    """Write suspects.csv, and beside it the page; gives the page's path.

    `corrected` is left empty for a person to fill in. Cells hold labels and names as labels.csv does. Raises StudyError where
    a file cannot be written.
    """
    check_out(path)
    page = path.with_suffix(".html")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([*cells(suspect, data), ""] for suspect in suspects)
    try:
        write_whole(path, lambda stream: stream.write(text.getvalue().encode("utf-8")))
        write_whole(page, lambda stream: stream.write(page_of(suspects, data, path.name, title).encode("utf-8")))
    except OSError as error:
        raise StudyError(f"{path}: the suspects must be written, but: {error.strerror}; choose another --out.") from None
    return page


def check_out(path: Path) -> None:
    """Raise StudyError, before anything is trained, where the suspects cannot be written there."""
    if path.suffix == ".html":
        raise StudyError(
            f"--out must not end in .html, for that is the page beside it, but got {path}; write e.g. suspects.csv."
        )
    if not path.parent.is_dir():
        raise StudyError(f"--out must lie in a folder that is there, but got {path}; make the folder first.")


def cells(suspect: Suspect, data: Dataset) -> list[str]:
    """Give a suspect as text: pit, label, suggested, sure, repeats, reason."""
    return [
        data.pits[suspect.index].pit,
        suspect.label,
        suspect.suggested,
        "" if suspect.sure is None else f"{suspect.sure:.3f}",
        f"{suspect.agreed} of {suspect.judged}",
        suspect.reason,
    ]


def page_of(suspects: Sequence[Suspect], data: Dataset, file: str, title: str) -> str:
    """Draw the page, which needs nothing else; whatever comes from the data set is escaped."""
    # Stretched light by light over the whole data set, so that pits can be compared.
    crops = data.crops()
    low, high = (np.percentile(crops, share, axis=(0, 2, 3)) for share in (0.5, 99.5))
    greys = [_greys(crops[suspect.index], low, high) for suspect in suspects]
    rows = "\n".join(_row(rank, *pair, data) for rank, pair in enumerate(zip(suspects, greys, strict=True), start=1))
    heads = "".join(
        f"<th>{head}</th>" for head in ("", "pit", "given", "suggested", "sure, repeats", "reason", "images by light")
    )
    body = f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>" if suspects else "<p>None.</p>"
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head>
<body>
<h1>{escape(title)}</h1>
<p>{len(suspects)} suspect pits, the surest first. <b>Sure</b>: (1 + P(suggested) &minus; P(given)) / 2, from networks that
did not train on the pit. <b>Repeats</b>: cross-validations in which the suggested label beat the given one. To correct
labels, fill in the column <code>corrected</code> of <code>{escape(file)}</code>, then run <code>pitsearch relabel</code>.</p>
{body}
</body>
</html>
"""


def _row(rank: int, suspect: Suspect, greys: Grey, data: Dataset) -> str:
    pit, label, suggested, sure, repeats, reason = map(escape, cells(suspect, data))
    place = data.pits[suspect.index]
    images = "".join(
        f"<figure>{_image(grey)}{escape(channel.name)}</figure>"
        for grey, channel in zip(greys, data.description.channels, strict=True)
    )
    return (
        f'<tr><td class="number">{rank}</td><td>{pit}<br><small>{escape(f"{place.foil}:{place.slide}")}</small></td>'
        f'<td class="given">{label}</td><td class="suggested">{suggested}</td><td>{sure}<br><small>{repeats}</small></td>'
        f'<td class="reason">{reason}</td><td class="images">{images}</td></tr>'
    )


def _greys(pit: Grey, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> Grey:
    spread = np.maximum(high - low, 1.0)[:, None, None]
    return np.clip((pit - low[:, None, None]) / spread * 255.0, 0.0, 255.0).astype(np.uint8)


def _image(grey: Grey) -> str:
    """Give an image as an element that holds its own pixels."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", optimize=True)
    tall, wide = grey.shape
    content = base64.b64encode(stream.getvalue()).decode("ascii")
    return f'<img width="{wide * ENLARGED}" height="{tall * ENLARGED}" alt="" src="data:image/png;base64,{content}">'
