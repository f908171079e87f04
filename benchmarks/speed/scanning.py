"""What a frame of a scan costs, part by part, against crops of every window: ours, the same in ONNX Runtime, and reading alone.

The networks are not trained: what they compute takes the same time. Maxima are as many as trained ones were seen to have.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.speed.throughput import NETWORKS
from benchmarks.support.measure import Spread, Table, interleave, ratio
from foils import SyntheticFoils, load, synthesise
from foils.frames import Frame, cut_crops, find_frames, read_frame
from foils.open_image import Grey
from foils.synthetic.synthesise import scaled_counts
from models.inference.bundle import Bundle
from models.inference.dense import STRIDE, DenseScorer
from models.inference.ensemble import Ensemble, empty_member
from models.inference.graph import Graph, read_graph
from models.inference.onnx_file import write_onnx
from models.inference.scorer import Scorer, score_crops
from models.process import one_thread
from scan.detect import LOOKING
from scan.heat_map import heat_map
from scan.maxima import maxima
from spaces.config import Config

CASES = ("minihip", "pitnet")
MEMBERS = 5
# Of a frame whose maxima are scored: what trained networks were seen to have.
MAXIMA = 120
# Windows of a frame that are scored as crops; the time of all is worked out from it.
WINDOWS = 512
# Frames of a foil of 60 cm2, and workers.
FOIL, WORKERS = 500, 2


def measure(rounds: int, scale: float) -> list[Table]:
    """Measure on one thread, in turns."""
    with tempfile.TemporaryDirectory() as temporary, one_thread():
        folder = Path(temporary) / "foils"
        synthesise(folder, SyntheticFoils(frames=True, counts=scaled_counts(40), seed=5))
        data = load(folder)
        lights = data.description.channels
        frame = find_frames(folder, [light.name for light in lights])[0]
        pixels = read_frame(frame, len(lights))
        rows, notes = [], []
        for network in CASES:
            torch.manual_seed(0)
            config = Config(network=NETWORKS[network])
            members = tuple(empty_member(config, lights, data.description.crop, 255).eval() for _ in range(MEMBERS))
            ensemble = Ensemble(config, members, lights, data.description.crop, 255)
            graph = _graph(Path(temporary) / f"{network}.onnx", ensemble, data.crops()[:8])
            row, shares = _row(ensemble, graph, frame, pixels, rounds, max(int(WINDOWS * scale), 32))
            rows.append([network, *row])
            notes.append(f"{network}: {shares}")
    title = f"A frame of 640 x 480 under {len(lights)} lights, {MEMBERS} members: ms of one core"
    columns = [
        "network",
        "read",
        "look (our map)",
        "score maxima",
        "together",
        "crops of all windows",
        "the same, ONNX Runtime",
    ]
    columns += ["windows / ours", "ONNX Runtime / ours"]
    note = (
        f"windows: one every {STRIDE} pixels; their time from {WINDOWS} of them; {LOOKING} members look, all score "
        f"{MAXIMA} maxima"
    )
    return [Table(title, columns, rows, [note, *notes])]


def _graph(path: Path, ensemble: Ensemble, pixels: Grey) -> Graph:
    """Write the ensemble as a graph and read it back."""
    write_onnx(path, Bundle(ensemble, 0.5, 0.05, {}), pixels, ensemble.scores(pixels))
    return read_graph(path)[0]


def _row(ensemble: Ensemble, graph: Graph, frame: Frame, pixels: Grey, rounds: int, windows: int) -> tuple[list[str], str]:
    """Measure the parts in turns."""
    dense, scorer, size = DenseScorer(ensemble, LOOKING), Scorer(ensemble), ensemble.size
    places_of_all = ((pixels.shape[1] - size) // STRIDE + 1) * ((pixels.shape[2] - size) // STRIDE + 1)
    generator = np.random.default_rng(0)
    places = [
        (float(generator.integers(size, pixels.shape[2] - size)), float(generator.integers(size, pixels.shape[1] - size)))
        for _ in range(windows)
    ]
    graph.session  # noqa: B018 -- made beforehand

    def look() -> None:
        maxima(heat_map(dense, pixels).mean, 0.5)

    works: dict[str, Callable[[], object]] = {
        "read": lambda: read_frame(frame, len(pixels)),
        "look": look,
        "maxima": lambda: score_crops(scorer, cut_crops(pixels, places[:MAXIMA], size)),
        "windows": lambda: score_crops(scorer, cut_crops(pixels, places, size)),
        "onnx": lambda: graph.outputs(cut_crops(pixels, places, size)),
    }
    seconds = interleave(rounds, {name: partial(_timed, work) for name, work in works.items()})
    each = {name: [1000 * value for value in values] for name, values in seconds.items()}
    for name in ("windows", "onnx"):
        each[name] = [value * places_of_all / windows for value in each[name]]
    together = [sum(values) for values in zip(each["read"], each["look"], each["maxima"], strict=True)]
    cells = [*(Spread.of(each[name]) for name in ("read", "look", "maxima")), Spread.of(together)]
    cells += [Spread.of(each["windows"]), Spread.of(each["onnx"])]
    cells += [ratio(each["windows"], together), ratio(each["onnx"], together)]
    whole = float(np.median(together)) * FOIL / WORKERS / 60_000
    share = np.median(np.array(each["read"]) / np.array(together))
    return [str(cell) for cell in cells], (
        f"{FOIL} frames on {WORKERS} cores take {whole:.1f} minutes, {share:.0%} of them reading the files"
    )


def _timed(work: Callable[[], object]) -> float:
    """Give the processor's seconds, so that what runs beside it does not count."""
    started = time.process_time()
    work()
    return time.process_time() - started
