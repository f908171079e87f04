"""The notebook of examples/ is kept without output, and runs from its first cell to its last."""

from __future__ import annotations

import os
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.repository import ROOT

NOTEBOOK = ROOT / "examples" / "first_search.ipynb"
# What its first cell sets, in small: the cell that tools such as papermill add below the one tagged `parameters`.
SMALL = """\
pits = 150
search = {"trials": 2}
epochs = 10
confirmed = {"top": 1, "repeats": 1, "reliability": 0.0}
"""


def read_notebook() -> Any:
    """Read the notebook, in which all that is there is valid."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_the_notebook_is_kept_without_output() -> None:
    cells = [cell for cell in read_notebook().cells if cell.cell_type == "code"]
    assert len(cells) > 8
    assert [cell.source for cell in cells if cell.outputs or cell.execution_count is not None] == []
    assert [index for index, cell in enumerate(cells) if "parameters" in cell.metadata.get("tags", ())] == [0]


@pytest.mark.slow
def test_the_notebook_runs_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    # Of the user's Jupyter neither settings nor kernels count.
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = read_notebook()
    (first,) = (index for index, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    small = deepcopy(notebook.cells[first])
    small.update(id="small", source=SMALL)
    notebook.cells.insert(first + 1, small)
    work = tmp_path / "work"
    work.mkdir()
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(work)}}).execute()
    shown = [_shown(cell) for cell in notebook.cells if cell.cell_type == "code"]
    said = "\n".join(shown)
    assert "<progress" in said
    assert "image/png" in said
    assert said.count("application/vnd.plotly.v1+json") == 2
    assert "Prediction(" in shown[-1]
    assert "that it never saw: AUC" in shown[-1]
    folder = work / "first_search"
    assert (folder / "best" / "model.onnx").is_file()
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def _shown(cell: Any) -> str:
    """Give what a cell shows: its text, and which kinds of content it offers."""
    parts = []
    for output in cell.outputs:
        content = output.get("data", {})
        parts += [output.get("text", ""), *content, content.get("text/html", ""), content.get("text/plain", "")]
    return "\n".join(parts)
