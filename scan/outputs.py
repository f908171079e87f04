"""Write what a scan found: tables, the page of hits, and the files of other programs. Knows nothing of how hits are found."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from foils.frames import Frame, read_frame
from models.inference.bundle import Bundle
from scan.formats.context import FormatContext
from scan.formats.table import FORMATS
from scan.gallery import EDGE, Answers, Gallery, write_gallery
from scan.hit_crops import CropOrder
from scan.hits import Hit, write_hits

HITS, PARQUET, PAGE = "hits.csv", "hits.parquet", "hits.html"
# The page shows no more, the most probable first.
MOST_SHOWN = 5000


def write_outputs(
    out: Path, hits: Sequence[Hit], frames: Sequence[Frame], bundle: Bundle, formats: Sequence[str], pixel_um: float | None
) -> None:
    """Write everything into the folder of a scan. `frames`: those that were looked at; `formats`: of FORMATS.

    Raises ScanError where a file cannot be written, DataError where a frame cannot be read any more.
    """
    for name in (HITS, PARQUET):
        write_hits(hits, out / name)
    ensemble = bundle.ensemble
    channels = tuple(light.name for light in ensemble.lights)
    context = FormatContext(
        frames={frame.name: frame for frame in frames},
        channels=channels,
        crop=ensemble.size,
        pixel_um=pixel_um,
        pixels=partial(read_frame, channels=len(channels)),
        full_scale=ensemble.full_scale,
    )
    for name in formats:
        FORMATS[name](hits, out, context)
    most = sorted(hits, key=lambda hit: -hit.p_signal)[:MOST_SHOWN]
    order = CropOrder.of(most, frames)
    signal = ensemble.config.labelling.rule.positive or (bundle.source.signal if bundle.source else Answers.yes)
    title = f"{len(hits)} hits, {sum(hit.accepted for hit in hits)} accepted"
    shown = "" if len(most) == len(hits) else f"; the {len(most)} most probable"
    gallery = Gallery(title + shown, channels, Answers(yes=signal))
    write_gallery(out / PAGE, order.hits, order.crops(len(channels), EDGE), gallery)
