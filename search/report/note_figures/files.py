"""Write the figures of a report as PDF and PNG for a note, in the style of mplhep. Knows no study."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from foils.atomic_write import write_whole
from pitsearch.errors import reason
from search.errors import StudyError
from search.report.contents import Drawing, Section

# Pixels on an inch of the PNG.
DPI = 200
FORMATS = ("pdf", "png")
# What the style leaves to us: letters of a note's width, ticks of several panels, and signs that its font has not.
OURS: dict[str, Any] = {
    "font.size": 12,
    "font.sans-serif": ["TeX Gyre Heros", "DejaVu Sans"],
    "axes.labelsize": "medium",
    "axes.labelpad": 5,
    "axes.titlesize": "medium",
    "axes.autolimit_mode": "data",
    "axes.xmargin": 0.03,
    "axes.ymargin": 0.05,
    "xtick.labelsize": "small",
    "ytick.labelsize": "small",
    "ytick.major.size": 6,
    "ytick.minor.size": 3,
    "legend.fontsize": "small",
    "pdf.fonttype": 42,  # letters stay letters
}


def check_installed() -> None:
    """Raise StudyError where what draws these figures is not installed."""
    try:
        import matplotlib  # noqa: F401  # it and the next must be there
        import mplhep  # noqa: F401
    except ImportError as error:
        raise StudyError(
            f"figures for a note need matplotlib and mplhep, but {error.name} is missing; "
            "install them: pip install 'pitsearch[figures]'"
        ) from None


def write_note_figures(
    sections: Sequence[Section], folder: Path, done: Callable[[int, int], None] = lambda finished, of: None
) -> list[Path]:
    """Write every figure of a report as PDF and PNG into a folder, and give the files; `done` is told of each figure.

    Raises StudyError where what draws them is not installed, or the folder cannot be written.
    """
    check_installed()
    drawings = [part for section in sections for part in section.parts if isinstance(part, Drawing)]
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, drawing in enumerate(drawings, start=1):
            for ending, content in draw_files(drawing.figure).items():
                paths.append(folder / f"{drawing.name}.{ending}")
                write_whole(paths[-1], lambda stream, content=content: stream.write(content))  # type: ignore[misc]
            done(number, len(drawings))
    except OSError as error:
        raise StudyError(f"{folder}: figures must be written, but: {reason(error)}; choose another --figures.") from None
    return paths


def draw_files(figure: go.Figure) -> dict[str, bytes]:
    """Draw a figure, and give the content of its files by their endings; the same figure gives the same bytes."""
    from search.report.note_figures.translate import to_matplotlib

    with hep_style():
        drawn, files = to_matplotlib(figure), {}
        for ending in FORMATS:
            content = BytesIO()
            drawn.savefig(content, format=ending, dpi=DPI, metadata={"CreationDate": None} if ending == "pdf" else {})
            files[ending] = content.getvalue()
            drawn.set_layout_engine("none")  # the layout that was found stays: to find it takes most of the time
    return files


@contextmanager
def hep_style() -> Iterator[None]:
    """Draw in the style of high-energy physics: ticks inside on all sides, titles at the ends of axes, no grid."""
    import matplotlib
    import mplhep

    settings: Any = {**mplhep.style.ATLAS, **OURS}
    with matplotlib.rc_context(settings):
        yield
