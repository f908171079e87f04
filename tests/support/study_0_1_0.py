"""The study that version 0.1.0 made and selected from, put back into a database beside its data and checkpoints."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from search.studies.study import Study
from tests.support.tiny import write_dataset

FIXTURE = Path(__file__).parents[1] / "search" / "studies_0_1_0"


def restore_study(folder: Path) -> Study:
    """Restore the study in an existing folder."""
    text = (FIXTURE / "studies.sql").read_text(encoding="utf-8").replace("@FOLDER@", str(folder))
    with closing(sqlite3.connect(folder / "studies.db")) as connection:
        connection.executescript(text)
    shutil.copytree(FIXTURE / "runs", folder / "runs")
    write_dataset(folder / "tiny")
    return Study("finished", f"sqlite:///{folder}/studies.db")
