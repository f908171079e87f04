"""The command `scan`: what it finds on a cluster is what it finds here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.inference.bundle import Bundle, write_bundle
from models.inference.bundle_schema import SourceData
from search.launcher import dask_cluster
from tests.support.bundles import ensemble
from tests.support.commands import Runner
from tests.support.systems import ROOT, install
from tests.support.tiny import write_dataset


@pytest.mark.slow
def test_a_scan_on_a_cluster_finds_the_same_hits(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(tmp_path / "data", frames=True)
    (tmp_path / "bundle").mkdir()
    write_bundle(tmp_path / "bundle", Bundle(ensemble(), 0.64, 0.05, {}, SourceData("tiny", "candidate", 6.45)))
    monkeypatch.setenv("PATH", f"{install(tmp_path / 'system')}:{os.environ['PATH']}")
    monkeypatch.setattr(dask_cluster, "LOOK_S", 0.5)
    (tmp_path / "site.toml").write_text(
        f'[cluster]\nsystem = "slurm"\nprologue = ["export PYTHONPATH={ROOT}"]\n', encoding="utf-8"
    )
    words = ["scan", "bundle", "data", "--least", "0.62", "--out"]
    here = run(*words, "here", "--workers", "1")
    assert here.code == 0, here.err
    there = run(*words, "there", "--cluster", "site.toml", "--jobs", "2")
    assert there.code == 0, there.err
    assert "frames: 4 of 4" in there.out
    assert (tmp_path / "there" / "hits.csv").read_text() == (tmp_path / "here" / "hits.csv").read_text()
    assert len(list((tmp_path / "system").glob("*.job"))) in (1, 2)
    again = run(*words, "there", "--cluster", "site.toml")
    assert again.code == 0, again.err
    assert len(list((tmp_path / "system").glob("*.job"))) in (1, 2)  # nothing is missing, and no job begins
    refused = run(*words, "there", "--cluster", "site.toml", "--workers", "2")
    assert "a cluster must be given --jobs, not --workers" in refused.err
