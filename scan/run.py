"""Scan unlabelled foil: run a bundle over every frame of a folder, and write what it finds.

Frames are looked at one by one, so that memory stays as it is however many there are. What is finished is kept, and the same
call goes on. Knows nothing of the command line, or of where workers run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from foils.description import read_description
from foils.errors import DataError
from foils.frames import Frame, list_frames, read_frame
from foils.stage import Stage, grid_stage, read_stage
from models.inference.bundle import Bundle, content_hash, read_bundle
from models.inference.dense import is_dense
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.expected import ExpectedOptions, expect
from scan.false_hits import FalseHits
from scan.formats.table import check_formats
from scan.hits import Hit
from scan.look import Look
from scan.outputs import write_outputs
from scan.places import area_cm2, check_placed, joined_hits
from scan.record import FrameResult, append, appending, read_results
from scan.settings import read_settings, write_settings

# Of the threshold, from where on a hit is kept: what is just not accepted is worth a look, too.
LEAST_SHARE = 0.25
# By this share the pixels of frames and of the model's data may differ in size.
PIXELS_DIFFER = 0.05
LEAST_SCALE, MOST_SCALE = 0.25, 64.0
CLEAN, HEAT = "clean", "heat"

# Does some work on each item and gives the results as they come.
WorkerMap = Callable[[Callable[[Frame], FrameResult], Iterable[Frame]], Iterable[FrameResult]]
# Called with how many frames are finished, of how many.
Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Positions:
    """Where the frames lie on the foil, as the user knows it; without any of these, nobody knows."""

    # The stage's positions, and the datum holes.
    stage: Path | None = None
    datum: Path | None = None
    # Columns of a grid of frames that touch one another.
    grid: int | None = None

    def check(self) -> None:
        """Raise ScanError where they do not go together."""
        if self.stage is not None and self.grid is not None:
            raise ScanError("frames lie where the stage or a grid says, but got both; leave one of --stage and --grid out.")
        if self.datum is not None and self.stage is None:
            raise ScanError("datum holes need the positions of the frames, but got none; add --stage FILE.")


@dataclass(frozen=True)
class ScanOptions:
    """How to scan."""

    # The least P(signal) of a hit that is kept; None: a quarter of the threshold.
    least: float | None = None
    # By how much frames are shrunk before they are looked at, each in turn; None: as the sizes of pixels say.
    scales: tuple[float, ...] | None = None
    # The edge of a frame's pixel in micrometres; None: as a foil.toml beside the frames says, else the model's.
    pixel_um: float | None = None
    # What is written beside the tables and the page: `heat`, the heat maps, and names of FORMATS.
    formats: tuple[str, ...] = ()
    positions: Positions = field(default_factory=Positions)
    # What false hits are told from.
    expected: ExpectedOptions = field(default_factory=ExpectedOptions)

    def check(self) -> None:
        """Raise ScanError for what cannot be done."""
        for scale in self.scales or ():
            if not LEAST_SCALE <= scale <= MOST_SCALE:
                raise ScanError(f"`{LEAST_SCALE:g} <= scale <= {MOST_SCALE:g}` must hold, but got {scale:g}; correct --scales.")
        check_formats(name for name in self.formats if name != HEAT)
        self.positions.check()
        self.expected.check()


@dataclass(frozen=True)
class Scan:
    """What was found."""

    folder: Path
    hits: tuple[Hit, ...]
    # The frames that were looked at.
    frames: tuple[Frame, ...]
    # What was wrong with others, a line each.
    faults: tuple[str, ...]
    # Whether networks said where to look, or blobs.
    is_dense: bool
    threshold: float
    # Of foil that was looked at; None where the size of a pixel is not known.
    area_cm2: float | None
    # False hits to expect; None where nothing tells.
    false_hits: FalseHits | None

    @property
    def accepted(self) -> int:
        """How many hits are accepted."""
        return sum(hit.accepted for hit in self.hits)

    def __repr__(self) -> str:
        return f"Scan({self.folder}: {len(self.frames)} frames, {len(self.hits)} hits, {self.accepted} accepted)"


def scan(
    bundle: str | Path,
    frames: str | Path,
    out: str | Path,
    options: ScanOptions = ScanOptions(),
    *,
    workers: WorkerMap = map,
    progress: Step = lambda finished, of: None,
) -> Scan:
    """Scan the frames of a folder into another.

    `bundle`: the folder that an export wrote, or its graph; `workers`: what distributes frames. Raises BundleError and
    DataError for what cannot be used, ScanError where the folder holds another scan or cannot be written.
    """
    options.check()
    model, out = read_bundle(bundle), Path(out)
    names = [light.name for light in model.ensemble.lights]
    # Workers may be in another folder.
    listed, faults = list_frames(Path(frames).absolute(), names)
    pixel_um, scales = _sizes(model, Path(frames), options)
    dense = is_dense(model.ensemble)
    if HEAT in options.formats and not dense:
        name = model.ensemble.config.network.name
        raise ScanError(f"heat maps need a bundle of fully convolutional networks, but got {name}; leave them out.")
    stage = _stage(options.positions, listed, len(names), pixel_um)
    least = LEAST_SHARE * model.threshold if options.least is None else options.least
    settings = {
        "model_sha256": content_hash(model),
        "frames_folder": str(Path(frames).resolve()),
        "channels": names,
        "crop": model.ensemble.size,
        "least": least,
        "scales": list(scales),
        "pixel_um": pixel_um,
        "heat": HEAT in options.formats,
    }
    look = Look(Path(bundle).resolve(), least, scales, out.resolve() / HEAT if HEAT in options.formats else None, pixel_um)
    results = _run(out, settings, listed, look, workers, progress)
    clean = options.expected.clean
    clean_results = None
    if clean is not None:
        clean_frames, clean_faults = list_frames(clean.absolute(), names)
        there = {**settings, "frames_folder": str(clean.resolve()), "heat": False}
        clean_results = _run(out / CLEAN, there, clean_frames, replace(look, heat=None), workers, progress)
        faults += clean_faults
    faults += [result.fault for result in (*results, *(clean_results or ())) if result.fault is not None]
    looked = [result for result in results if result.detections is not None]
    if not looked:
        raise ScanError(f"{frames}: at least one frame must be readable, but: {faults[0]}")
    if stage is not None:
        check_placed(looked, stage)
    clean_looked = None if clean_results is None else [each for each in clean_results if each.detections is not None]
    clean_area = None if clean_looked is None or pixel_um is None else area_cm2(clean_looked, pixel_um, None)
    threshold, false_hits = expect(options.expected, model, Path(bundle), clean_looked, clean_area, least)
    area = None if pixel_um is None else area_cm2(looked, pixel_um, stage)
    hits = joined_hits(looked, model, str(settings["model_sha256"]), threshold, stage)
    found = Scan(out, tuple(hits), tuple(each.frame for each in looked), tuple(faults), dense, threshold, area, false_hits)
    write_outputs(out, hits, found.frames, model, [name for name in options.formats if name != HEAT], pixel_um)
    write_settings(out, {**settings, **_summary(found, looked)})
    return found


def _summary(found: Scan, looked: Sequence[FrameResult]) -> dict[str, Any]:
    """Give what `scan.json` says of a finished scan."""
    sizes = {(result.width, result.height) for result in looked}
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    return {
        "threshold": found.threshold,
        "frames": len(looked),
        "width": width,
        "height": height,
        "area_cm2": found.area_cm2,
        "hits": len(found.hits),
        "accepted": found.accepted,
        "false_hits": None if found.false_hits is None else asdict(found.false_hits),
        "faults": list(found.faults),
        "detector": "networks" if found.is_dense else "blobs",
    }


def _stage(positions: Positions, frames: Sequence[Frame], channels: int, pixel_um: float | None) -> Stage | None:
    """Read where frames lie, of the size of the first that can be read."""
    if positions.stage is None and positions.grid is None:
        return None
    if pixel_um is None:
        raise ScanError("positions need the size of a pixel, but it is not known; add --pixel-um.")
    for frame in frames:
        try:
            height, width = read_frame(frame, channels).shape[1:]
        except DataError:
            continue  # its fault is reported when it is looked at
        size = {"pixel_um": pixel_um, "width": width, "height": height}
        if positions.stage is not None:
            return read_stage(positions.stage, positions.datum, **size)
        return grid_stage(positions.grid or 0, [each.slide for each in frames], **size)
    return None


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
        known = read_settings(out, "scan again, into a new folder")
        if known is not None:
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
