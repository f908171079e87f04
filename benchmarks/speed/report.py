"""What the report of a study takes: seconds and megabytes, by the trials that the study holds."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.support.filling import fill
from benchmarks.support.idle import begin, plan_of
from benchmarks.support.measure import Spread, Table
from search.report.study_report import write_report
from search.report.subject import read_subject
from search.studies.study import Study

# Finished trials of a study; a budget that has room for all.
TRIALS, ROOM = (100, 1000, 3000), 10**9


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Write the report of studies that hold ever more trials. `scale`: of how many."""
    rows = []
    with TemporaryDirectory() as folder:
        plan = plan_of(Path(folder) / "foils")
        study = begin("report", f"sqlite:///{folder}/studies.db", plan, ROOM, Path(folder) / "runs")
        filled = 0
        for count in (max(10, round(count * scale)) for count in TRIALS):
            fill(study, count - filled, seed=filled)
            filled = count
            seconds = [_write(study.name, study.storage, Path(folder) / "report.html") for _ in range(rounds)]
            reading, writing = zip(*seconds, strict=True)
            size = (Path(folder) / "report.html").stat().st_size
            rows.append([str(count), str(Spread.of(reading)), str(Spread.of(writing)), f"{size / 1e6:.2f}"])
    return [
        Table(
            "The report of a study",
            ["trials", "read, s", "lay out and write, s", "MB"],
            rows,
            ["without the imports, some seconds more; 4.8 MB of the page are plotly's own"],
        )
    ]


def _write(name: str, storage: str, path: Path) -> tuple[float, float]:
    started = time.perf_counter()
    subject = read_subject(Study(name, storage))
    middle = time.perf_counter()
    write_report(subject, path)
    return middle - started, time.perf_counter() - middle
