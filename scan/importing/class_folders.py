"""Read folders of one class each, as torchvision's ImageFolder does: `SOURCE/LABEL/IMAGE`, one image a pit."""

from __future__ import annotations

from pathlib import Path

from foils.plain_folder import SUFFIXES
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, names_of, pit_of, read_images


def classes_of(source: Path) -> dict[str, list[Path]]:
    """List the images of each class; folders without images are none."""
    try:
        folders = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
        images = {
            folder.name: sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES) for folder in folders
        }
    except OSError as error:
        raise ScanError(f"{source}: the folder must be readable, but: {reason(error)}; correct the path.") from None
    return {label: paths for label, paths in images.items() if paths}


def read_class_folders(source: Path, options: ImportOptions) -> PitTable:
    """Read the images; of a TIFF, every page is a light. Raises ScanError where there are none, or they are not alike."""
    classes = classes_of(source)
    if not classes:
        raise ScanError(f"{source}: a folder must have folders of images, one a label, but got none; correct the path.")
    labelled = [(label, path) for label, paths in classes.items() for path in paths]
    names = names_of([f"{label}-{path.stem}" for label, path in labelled])
    crops = read_images([[path] for _, path in labelled])
    return PitTable(crops, tuple(pit_of({}, name, label) for name, (label, _) in zip(names, labelled, strict=True)))
