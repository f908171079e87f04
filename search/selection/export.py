"""Export the selected model: copy the bundle that `select` kept into a new folder, and add an ONNX graph of it.

Trains nothing, and opens nothing. Writes into a folder under a random name and renames it, so that a bundle is whole or absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foils.atomic_write import open_new, temporary_name
from models.inference.bundle_schema import FORMER_WEIGHTS, MODEL, WEIGHTS
from models.inference.example import INPUT, ONNX, SCAN_ONNX, read_example
from pitsearch.errors import reason
from search.errors import StudyError
from search.selection.bioimageio import check_licence, write_bioimageio
from search.selection.front_matter import CARD, front_matter
from search.selection.model_store import file_hashes, read_model
from search.selection.selection_record import selected_key
from search.studies.study import Study

# The SHA-256 of every other file of a bundle, as `sha256sum --check` reads them.
CHECKSUMS = "SHA256SUMS"

if TYPE_CHECKING:
    from search.selection.outcome import Selection  # imports torch, which a copy does not need


@dataclass(frozen=True)
class ExportOptions:
    """What a bundle holds beside its model."""

    # Graphs that run anywhere: of crops, and of whole frames where the networks are fully convolutional.
    onnx: bool = True
    # What the model card names, one of the hub's names, `cc-by-4.0` say; None names none.
    licence: str | None = None
    # A description for bioimage.io, which is of the graph.
    bioimageio: bool = False

    def __post_init__(self) -> None:
        if self.bioimageio:
            if not self.onnx:
                raise StudyError("bioimage.io describes a graph, but none is written; leave out --no-onnx, or --bioimageio.")
            check_licence(self.licence)


def export(
    selected: Selection | Study,
    folder: str | Path,
    options: ExportOptions | None = None,
    *,
    runs: str | Path | None = None,
) -> Path:
    """Write a selected model, or that of a study's last selection, into a new folder.

    `runs`: the folder of checkpoints, if it has moved since the selection. Raises StudyError where there is no selection, its
    model is missing or has been changed, a graph is asked for and `select` of an older version kept no pits to compare it on,
    or the new folder exists or cannot be written; BundleError where ONNX cannot hold the network, or ONNX Runtime scores
    otherwise.
    """
    options, folder = options or ExportOptions(), Path(folder)
    check_new(folder)
    files = kept_files(selected, options, runs)
    with new_folder(folder) as unfinished:
        copy_files(files, unfinished)
        complete_bundle(unfinished, options)
    return folder


def kept_files(selected: Selection | Study, options: ExportOptions, runs: str | Path | None) -> dict[str, bytes]:
    """Read the files of a selected model, by name. Raises StudyError as `export` does."""
    study = selected if isinstance(selected, Study) else selected.study
    key = selected_key(study) if isinstance(selected, Study) else selected.key
    files = read_model(study, key, runs)
    if options.onnx and INPUT not in files:
        raise StudyError(
            f"a graph must be compared on pits that select kept, but an older version kept this model without any; run "
            f"`pitsearch select --study {study.name}` again, or export with --no-onnx."
        )
    return files


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder to write into, which becomes `folder` where the block ends well, and is removed where not."""
    unfinished = temporary_name(folder)
    try:
        unfinished.mkdir(parents=True)
        try:
            yield unfinished
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # this export's own, where it was not renamed
    except OSError as error:
        raise StudyError(f"{folder}: the folder must be writable, but: {reason(error)}; choose another.") from None


def copy_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files of a kept model into an existing folder, its weights under the name that they have now."""
    for name, content in files.items():
        with open_new(folder / (WEIGHTS if name == FORMER_WEIGHTS else name)) as stream:
            stream.write(content)


def complete_bundle(folder: Path, options: ExportOptions) -> None:
    """Add to a model in a folder what an export adds: the card's beginning, graphs and a description, all hashes."""
    card = folder / CARD
    begin = front_matter((folder / MODEL).read_bytes(), options.licence, options.onnx)
    card.write_bytes(begin.encode() + card.read_bytes())
    if options.onnx:
        _add_graphs(folder)
    if options.bioimageio:
        write_bioimageio(folder, options.licence)
    hashes = "".join(f"{sha256}  {name}\n" for name, sha256 in file_hashes(folder).items())
    (folder / CHECKSUMS).write_text(hashes, encoding="utf-8")


def _add_graphs(folder: Path) -> None:
    """Write the graphs of a bundle beside it, and compare what they give."""
    from models.inference.bundle import read_bundle  # torch, which a copy does not need
    from models.inference.dense import is_dense
    from models.inference.onnx_file import write_onnx
    from models.inference.scan_graph import write_scan_onnx

    bundle, (pixels, p_signal) = read_bundle(folder), read_example(folder)
    write_onnx(folder / ONNX, bundle, pixels, p_signal)
    if is_dense(bundle.ensemble):
        write_scan_onnx(folder / SCAN_ONNX, bundle, pixels)


def check_new(folder: Path) -> None:
    """Raise StudyError where a bundle's folder exists already."""
    if folder.exists() or folder.is_symlink():
        raise StudyError(f"{folder}: a bundle goes into a new folder, but this one exists; choose another name or remove it.")
