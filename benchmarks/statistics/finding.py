"""How well a scan finds what a model accepts on listed pits: efficiency, purity and false hits, against blobs alone.

Trains the folds of a configuration on one data set, and scans frames of another: synthetic frames, and the slide that was not
trained on of the folder that BENCHMARK_DATA names.
"""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from joblib import cpu_count

from benchmarks.speed.throughput import NETWORKS
from benchmarks.support.measure import DATA, Table
from foils import Dataset, SyntheticFoils, load, synthesise
from foils.folds import fold_numbers
from foils.frames import find_frames, read_frame
from foils.resize import scaled
from foils.synthetic.synthesise import scaled_counts
from models.inference.bundle import Bundle, write_bundle
from models.inference.bundle_schema import SourceData
from models.inference.ensemble import Ensemble
from models.metrics import threshold_at
from models.process import one_thread
from models.training.cross_validation import start_fold
from models.training.task import make_task
from scan.blobs import blobs
from scan.comparison import compare
from scan.detect import APART
from scan.hit_lists import read_places
from scan.maxima import most_probable
from scan.place_list import Places, only_signal
from scan.run import ScanOptions, WorkerMap, scan
from search.selection.predict import predict
from search.training.pool import parallel_map
from spaces.choices.augmentation import Augmentation
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config

FOLDS, EPOCHS, WORKING_POINT = 5, 25, 0.05
PITS, LISTED, SEEDS = 700, 300, (11, 77)
CASES = ("pitnet", "minihip")
RADIUS = 15.0
# Craters of many sizes: frames are shrunk by these. Slides 24 and 25 show the same plastic on 200 rows, which are left out.
SCALES = (0.6, 0.85, 1.2, 1.7, 2.4, 3.4, 5.0)
TRAINED, SCANNED, SHARED = "24", "25", 200


def measure(rounds: int, scale: float) -> list[Table]:
    """Train, scan and match once: what spreads is the chance of pits, which the intervals hold."""
    del rounds
    with tempfile.TemporaryDirectory() as temporary:
        tables = [_synthetic(Path(temporary), scale)]
        if DATA in os.environ:
            tables.append(_craters(Path(temporary), Path(os.environ[DATA]), scale))
    return tables


def _synthetic(folder: Path, scale: float) -> Table:
    pits, listed = (max(round(count * scale), 100) for count in (PITS, LISTED))
    synthesise(folder / "trained", SyntheticFoils(seed=SEEDS[0], counts=scaled_counts(pits)))
    synthesise(folder / "frames", SyntheticFoils(seed=SEEDS[1], counts=scaled_counts(listed), frames=True))
    data, rows = load(folder / "trained"), []
    for network in CASES:
        bundle = _bundle(folder / network, data, Channels("stacked"), NETWORKS[network], scale)
        listed_pits = predict(bundle, load(folder / "frames"))
        found = scan(folder / network, folder / "frames", folder / f"{network}-hits", workers=_workers())
        result = compare(
            read_places(found.folder),
            only_signal(read_places(folder / "frames"), None),
            radius=RADIUS,
            area_cm2=found.area_cm2,
        )
        rows.append(
            [network, str(listed_pits.acceptance), *map(str, (result.match.efficiency, result.match.purity, result.per_cm2))]
        )
    columns = ["network", "acceptance on listed pits", "efficiency of the scan", "purity", "false hits on a cm2"]
    notes = [f"trained on {pits} synthetic pits, {EPOCHS} epochs; matched one to one within {RADIUS:g} pixels, 95 %"]
    return Table("Signal found on synthetic frames", columns, rows, notes)


def _craters(folder: Path, craters: Path, scale: float) -> Table:
    data = load(craters)
    frames = folder / "slide"
    frames.mkdir()
    shutil.copy(craters / "frames" / f"tile3_s{SCANNED}_1.png", frames)
    truth = _truth(craters / f"craters_s{SCANNED}.csv", folder / "truth.csv")
    bundle_folder = folder / "craters"
    _bundle(bundle_folder, data.take(data.on_slides([TRAINED])), Channels("single", "1"), NETWORKS["pitnet"], scale)
    found = scan(bundle_folder, frames, folder / "hits", ScanOptions(scales=SCALES), workers=_workers())
    listed = {
        "pitnet, scanned": read_places(found.folder),
        "blobs alone, all of them": _blobs(frames, data, folder / "blobs.csv"),
    }
    rows = []
    for name, places in listed.items():
        result = compare(_unseen(places), truth, radius=RADIUS)
        rows.append([name, str(result.hits), str(result.match.efficiency), str(result.match.purity)])
    notes = [f"trained on slide {TRAINED}, the {SHARED} rows that both slides show left out; within {RADIUS:g} pixels, 95 %"]
    return Table(f"Craters found on slide {SCANNED}", ["", "hits", "efficiency", "purity"], rows, notes)


def _blobs(frames: Path, data: Dataset, out: Path) -> Places:
    """Write down the blobs of relief at every size, of those that are close the one found at the least."""
    lights = data.description.channels
    frame = find_frames(frames, [light.name for light in lights])[0]
    pixels, places, sizes = read_frame(frame, len(lights)), [], []
    for scale in SCALES:
        middles = blobs(scaled(pixels, 1 / scale), lights, data.description.crop) * scale
        places.append(middles)
        sizes.append(np.full(len(middles), scale))
    joined, size = np.concatenate(places), np.concatenate(sizes)
    left = most_probable(joined, -size, APART * data.description.crop * size)
    lines = ["foil,slide,x,y", *(f"{frame.foil},{frame.slide},{x},{y}" for y, x in joined[left])]
    out.write_text("\n".join(lines) + "\n")
    return read_places(out)


def _bundle(folder: Path, data: Dataset, channels: Channels, network: Network, scale: float) -> Bundle:
    """Train five folds, fix the threshold on the scores out of fold, and write the bundle."""
    config = Config(
        channels=channels,
        network=network,
        optimiser=Optimiser("adamw", 3e-3, batch_size=32),
        augmentation=Augmentation("turned" if channels.mode == "single" else "symmetries"),
    )
    task = make_task(data, config, epochs=max(round(EPOCHS * scale), 2), working_point=WORKING_POINT)
    folds = fold_numbers(data, FOLDS, 0)
    members, scores = [], np.zeros(len(data))
    with one_thread():
        for fold in range(FOLDS):
            training = start_fold(task, folds, fold, fold, 0)
            training.advance(task.epochs)
            members.append(training.eval_model)
            scores[training.validate] = training.scores()
    threshold = threshold_at(scores[data.is_scored], data.is_signal[data.is_scored], WORKING_POINT)
    about = data.description
    source = SourceData(about.name, about.signal, about.crop_pixel_um)
    ensemble = Ensemble(config, tuple(members), about.channels, about.crop, data.full_scale)
    bundle = Bundle(ensemble, threshold, WORKING_POINT, {"searched_pixels": data.pixel_hashes}, source)
    folder.mkdir()
    write_bundle(folder, bundle)
    return bundle


def _truth(path: Path, out: Path) -> Places:
    """Give the craters of a slide below the rows that the other slide shows too."""
    with path.open(newline="") as stream, out.open("w", newline="") as kept:
        rows = csv.DictReader(stream)
        writer = csv.DictWriter(kept, rows.fieldnames or ())
        writer.writeheader()
        writer.writerows(row for row in rows if float(row["y"]) >= SHARED)
    return read_places(out)


def _unseen(hits: Places) -> Places:
    """Leave out the hits on the rows that both slides show."""
    assert hits.on_frames is not None
    return hits.take(hits.on_frames[:, 1] >= SHARED)


def _workers() -> WorkerMap:
    return partial(parallel_map, workers=cpu_count())
