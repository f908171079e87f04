"""The same pits as every kind of source that is imported."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

from foils.open_image import Grey
from foils.synthetic.lighting import QMUL_RIG
from scan.importing.run import ImportOptions
from tests.support.tiny import draw_pits

LABELS = ["sig"] * 6 + ["bkg"] * 7
CHANNELS = [(light.name, light.kind, light.azimuth_deg) for light in QMUL_RIG]
CROPS: Grey = (draw_pits(["candidate"] * 6 + ["top"] * 7, CHANNELS, 0) * 255).astype(np.uint8)
SIGNAL = ImportOptions(signal="sig")


def of_label(label: str) -> Grey:
    return CROPS[[index for index, one in enumerate(LABELS) if one == label]]


def npz(place: Path) -> Path:
    place.mkdir()
    for label in ("sig", "bkg"):
        crops = of_label(label).transpose(0, 2, 3, 1)
        np.savez(place / f"{label}.npz", rim=crops[..., :8], b=crops[..., 8], h=crops[..., 9])
    return place


def parquet(place: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    flat = [crop.transpose(1, 2, 0)[..., :8].ravel().tolist() for crop in CROPS / 255.0]  # as QMUL scales them
    rest = {name: [crop.ravel().tolist() for crop in CROPS[:, number]] for name, number in (("b", 8), ("h", 9))}
    place.mkdir()
    pyarrow.parquet.write_table(pyarrow.table({"rim": flat, "label": LABELS, **rest}), place / "pits.parquet")
    return place / "pits.parquet"


def folders(place: Path) -> Path:
    for number, (label, crop) in enumerate(zip(LABELS, CROPS, strict=True)):
        (place / label).mkdir(parents=True, exist_ok=True)
        for light, image in zip(QMUL_RIG, crop, strict=True):
            Image.fromarray(image).save(place / label / f"p{number:02d}_{light.name}.png")
    return place


def paths(place: Path) -> Path:
    folders(place)
    rows = [f"{label}/p{n:02d}_{{channel}}.png,{label},f7,{n // 3},{30 * n},5,seen" for n, label in enumerate(LABELS)]
    (place / "pits.csv").write_text("\n".join(["path,label,foil,slide,x,y,who", *rows]) + "\n")
    return place / "pits.csv"


def zooniverse(place: Path) -> Path:
    place.mkdir()
    with (place / "classifications.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["classification_id", "user_name", "annotations", "subject_data", "subject_ids"])
        for number, (label, crop) in enumerate(zip(LABELS, CROPS, strict=True)):
            tifffile.imwrite(place / f"p{number:02d}.tif", crop, photometric="minisblack")
            facts = {str(100 + number): {"retired": None, "#Filename": f"p{number:02d}.tif", "#slide": str(number)}}
            other = "bkg" if label == "sig" else "sig"
            # Ann changes her mind, which does not count; of the last subject one of two says so.
            answers = [("ann", label), ("ann", other), ("bob", label), ("eve", other if number == 12 else label)]
            answers += [("joe", other)] * (number == 12)
            for who, answer in answers:
                writer.writerow([number, who, json.dumps([{"task": "T0", "value": answer}]), json.dumps(facts), 100 + number])
    return place / "classifications.csv"


def ome_tiff(place: Path) -> Path:
    place.mkdir()
    tifffile.imwrite(place / "stack.ome.tif", CROPS, photometric="minisblack", metadata={"axes": "TCYX"})
    (place / "labels.csv").write_text("label,slide\n" + "".join(f"{label},{n}\n" for n, label in enumerate(LABELS)))
    return place / "stack.ome.tif"


def zarr_stack(place: Path) -> Path:
    import zarr

    place.mkdir()
    array = zarr.create_array(place / "stack.zarr", shape=CROPS.shape, chunks=(4, 10, 12, 12), dtype="uint8")
    array[:] = CROPS
    (place / "labels.csv").write_text("label\n" + "".join(f"{label}\n" for label in LABELS))
    return place / "stack.zarr"
