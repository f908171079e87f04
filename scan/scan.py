"""Scan unlabelled foil: run a bundle over every frame of a folder, and write what it finds.

Frames are looked at one by one, so that memory stays as it is however many there are. What is finished is kept, and the same
call goes on. Knows nothing of the command line, or of where workers run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from foils.description import read_description
from foils.frames import Frame, list_frames
from foils.stage import Stage
from models.inference.bundle import Bundle, read_bundle
from models.inference.dense import is_dense
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.expected import ExpectedOptions, expect
from scan.false_hits import FalseHits
from scan.hits import Hit, write_hits
from scan.look import Look
from scan.places import area_cm2, joined_hits
from scan.record import SETTINGS, FrameResult, append, appending, read_results, read_settings, write_settings

# Of the threshold, from where on a hit is kept: what is just not accepted is worth a look, too.
LEAST_SHARE = 0.1
# By this share the pixels of frames and of the model's data may differ in size.
PIXELS_DIFFER = 0.05
HITS, PARQUET, CLEAN, HEAT = "hits.csv", "hits.parquet", "clean", "heat"

# Does some work on each item and gives the results as they come.
WorkerMap = Callable[[Callable[[Frame], FrameResult], Iterable[Frame]], Iterable[FrameResult]]
# Called with how many frames are finished, of how many.
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class ScanOptions:
    """How to scan."""

    # The least P(signal) of a hit that is kept; None: a tenth of the threshold.
    least: float | None = None
    # By how much frames are shrunk before they are looked at, each in turn; None: as the sizes of pixels say.
    scales: tuple[float, ...] | None = None
    # The edge of a frame's pixel in micrometres; None: as a foil.toml beside the frames says, else the model's.
    pixel_um: float | None = None
    # Whether the heat maps are written.
    heat: bool = False
    # What false hits are told from.
    expected: ExpectedOptions = ExpectedOptions()


@dataclass(frozen=True)
class Scan:
    """What was found."""

    folder: Path
    hits: tuple[Hit, ...]
    # The frames that were looked at.
    frames: tuple[Frame, ...]
    # What was wrong with others, a line each.
    faults: tuple[str, ...]
    # Where networks or blobs said to look.
    detector: str
    threshold: float
    # Of foil that was looked at; None where the size of a pixel is not known.
    area_cm2: float | None
    # False hits to expect; None where nothing tells.
    false_hits: FalseHits | None

    def __repr__(self) -> str:
        accepted = sum(hit.accepted for hit in self.hits)
        return f"Scan({self.folder}: {len(self.frames)} frames, {len(self.hits)} hits, {accepted} accepted)"


def scan(
    bundle: str | Path,
    frames: str | Path,
    out: str | Path,
    options: ScanOptions = ScanOptions(),
    *,
    stage: Stage | None = None,
    workers: WorkerMap = map,
    progress: Step = lambda finished, of: None,
) -> Scan:
    """Scan the frames of a folder into another.

    `bundle`: the folder that an export wrote, or its graph; `stage`: where the frames lie on the foil; `workers`: what
    distributes frames. Raises BundleError and DataError for what cannot be used, ScanError where the folder holds another scan
    or cannot be written.
    """
    model, out = read_bundle(bundle), Path(out)
    names = [light.name for light in model.ensemble.lights]
    listed, faults = list_frames(frames, names)
    options.expected.check()
    pixel_um, scales = _sizes(model, Path(frames), options)
    if options.heat and not is_dense(model.ensemble):
        raise ScanError(
            f"heat maps need a network that is fully convolutional, but got {model.ensemble.config.network.name}; leave them out."
        )
    least = LEAST_SHARE * model.threshold if options.least is None else options.least
    look = Look(Path(bundle).resolve(), least, scales, out.resolve() / HEAT if options.heat else None, pixel_um)
    settings = {
        "model_sha256": _hash_of(model),
        "frames_folder": str(Path(frames).resolve()),
        "channels": names,
        "crop": model.ensemble.size,
        "least": least,
        "scales": list(scales),
        "pixel_um": pixel_um,
    }
    results = _run(out, settings, listed, look, workers, progress)
    faults += [result.fault for result in results if result.fault is not None]
    looked = [result for result in results if result.detections is not None]
    clean = None
    if options.expected.clean is not None:
        clean_frames, clean_faults = list_frames(options.expected.clean, names)
        clean_folder = str(options.expected.clean.resolve())
        clean_results = _run(
            out / CLEAN, {**settings, "frames_folder": clean_folder}, clean_frames, replace(look, heat=None), workers, progress
        )
        faults += [*clean_faults, *(result.fault for result in clean_results if result.fault is not None)]
        clean = [result for result in clean_results if result.detections is not None]
    threshold, false_hits = expect(options.expected, model, Path(bundle), clean, pixel_um, least)
    hits = joined_hits(looked, model, str(settings["model_sha256"]), threshold, pixel_um, stage)
    area = None if pixel_um is None else area_cm2(looked, pixel_um, stage)
    detector = "fully convolutional" if is_dense(model.ensemble) else "blobs"
    found = Scan(out, tuple(hits), tuple(r.frame for r in looked), tuple(faults), detector, threshold, area, false_hits)
    for name in (HITS, PARQUET):
        write_hits(hits, out / name)
    sizes = {(result.width, result.height) for result in looked}
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    summary = {
        "threshold": threshold,
        "frames": len(looked),
        "width": width,
        "height": height,
        "area_cm2": area,
        "hits": len(hits),
        "accepted": sum(hit.accepted for hit in hits),
        "false_hits": None if false_hits is None else asdict(false_hits),
        "faults": faults,
        "detector": detector,
    }
    write_settings(out, {**settings, **summary})
    return found


def _run(
    out: Path, settings: Mapping[str, Any], frames: Sequence[Frame], look: Look, workers: WorkerMap, progress: Step
) -> list[FrameResult]:
    """Look at the frames that are not finished, and give the results of all, in their order."""
    _open(out, settings)
    if look.heat is not None:
        look.heat.mkdir(exist_ok=True)
    by_name = {frame.name: frame for frame in frames}
    finished = read_results(out, by_name)
    missing = [frame for frame in frames if frame.name not in finished]
    progress(len(finished), len(frames))
    try:
        with appending(out) as stream:
            for result in workers(look, missing):
                if result.detections is not None:
                    append(stream, result)
                finished[result.frame.name] = result
                progress(len(finished), len(frames))
    except OSError as error:
        raise ScanError(
            f"{out}: the scan must be writable, but: {reason(error)}; finished frames are kept, make room and run it again."
        ) from None
    return [finished[frame.name] for frame in frames]


def _open(out: Path, settings: Mapping[str, Any]) -> None:
    """Begin a scan in a new or empty folder, or go on with the same."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / SETTINGS).exists():
            known = read_settings(out)
            other = [key for key, value in settings.items() if known.get(key) != value]
            if other:
                raise ScanError(
                    f"{out}: a folder must hold one scan, but another {other[0]} was used for what is there "
                    f"({_short(known.get(other[0]))}, not {_short(settings[other[0]])}); choose another --out."
                )
        elif any(path.name != HEAT for path in out.iterdir()):
            raise ScanError(f"{out}: a scan goes into a new or empty folder, but this one holds files; choose another --out.")
        else:
            write_settings(out, settings)
    except OSError as error:
        raise ScanError(f"{out}: the scan must go into a folder, but: {reason(error)}; choose another --out.") from None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:28]}...{text[-28:]}"


def _sizes(model: Bundle, folder: Path, options: ScanOptions) -> tuple[float | None, tuple[float, ...]]:
    """Give the edge of a frame's pixel, and by how much frames are shrunk."""
    made = None if model.source is None else model.source.pixel_um
    pixel_um = options.pixel_um
    if pixel_um is None and (folder / "foil.toml").is_file():
        description = read_description(folder, [])
        pixel_um = None if description is None else description.pixel_um
    if options.scales is not None:
        return pixel_um, options.scales
    if pixel_um is None:
        return made, (1.0,)
    scale = 1.0 if made is None else made / pixel_um
    return pixel_um, (1.0 if abs(scale - 1) <= PIXELS_DIFFER else scale,)


def _hash_of(model: Bundle) -> str:
    from models.inference.bundle import hash_of_bundle

    return hash_of_bundle(model)


def frames_of(results: Iterable[FrameResult]) -> Iterator[Frame]:
    """Give the frames of results."""
    return (result.frame for result in results)
