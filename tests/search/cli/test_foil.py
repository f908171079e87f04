"""The commands on places of a foil: what they print and write, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scan import match
from scan.hits import write_hits
from search.cli import foil
from tests.support.commands import Runner
from tests.support.foil_hits import foil_hit
from tests.support.golden import assert_golden


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    """A folder that a scan wrote, and beside it lists of true places."""
    random = np.random.default_rng(3)
    places = random.uniform(20, 600, (30, 2)).round(1)
    hits = [
        foil_hit(f"h{number}", *(place + random.normal(0, 2, 2)), p_signal=round(float(random.uniform(0.3, 1)), 3))
        for number, place in enumerate(places)
    ]
    hits += [foil_hit(f"f{number}", *random.uniform(20, 600, 2), p_signal=0.6) for number in range(5)]
    (tmp_path / "hits").mkdir()
    write_hits(hits, tmp_path / "hits" / "hits.csv")
    told = {"area_cm2": 0.2556, "width": 640, "height": 480, "pixel_um": 6.45}
    (tmp_path / "hits" / "scan.json").write_text(json.dumps(told))
    (tmp_path / "truth.json").write_text(json.dumps([[1, *place] for place in places.tolist()]))
    (tmp_path / "all.json").write_text(json.dumps([[1, hit.x, hit.y] for hit in hits]))
    return tmp_path


def test_match_prints_and_draws(run: Runner, scanned: Path) -> None:
    ran = run("match", "hits", "truth.json", "--all", "all.json", "--out", "match.html")
    assert ran.code == 0, ran.err
    assert_golden("match", "".join(f"{line.rstrip()}\n" for line in ran.out.splitlines()))
    page = (scanned / "match.html").read_text(encoding="utf-8")
    assert "one to one: a hit finds one place at most" in page


def test_match_counts_as_qmul_does_where_that_is_asked_for(run: Runner, scanned: Path) -> None:
    ran = run("match", "hits/hits.csv", "truth.json", "--rule", "near", "--all-hits", "--slide", "1", "--area-cm2", "3")
    assert ran.code == 0, ran.err
    assert "as QMUL counts; within 15 pixels on frames" in ran.out
    assert "on 3 cm2" in ran.out
    assert "left out" not in ran.out


def test_the_defaults_are_those_of_the_match() -> None:
    assert (foil.RADIUS, foil.RULE) == (match.RADIUS, match.ONE_TO_ONE)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none", "truth.json"], "No such file"),
        (["hits", "truth.json", "--radius", "0"], "must be above 0"),
        (["hits", "truth.json", "--rule", "mine"], "among one-to-one, near"),
        (["hits", "truth.json", "--slide", "9"], "on the slides asked for"),
        (["hits", "truth.json", "--label", "signal"], "--label needs a column"),
        (["hits", "truth.json", "--out", "none/match.html"], "existing folder"),
        (["hits", "truth.json", "--area-cm2", "0"], "above 0 cm2"),
    ],
)
def test_match_refuses_on_one_line(run: Runner, scanned: Path, words: list[str], said: str) -> None:
    ran = run("match", *words)
    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_align_prints_and_writes(run: Runner, tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    front = random.uniform(0, 5000, (40, 2))
    back = np.concatenate([front[:30] + random.normal(0, 2, (30, 2)), random.uniform(0, 5000, (10, 2))])
    back[:, 0] *= -1
    (tmp_path / "front.json").write_text(json.dumps(front.round(1).tolist()))
    (tmp_path / "back.json").write_text(json.dumps(back.round(1).tolist()))
    ran = run("align", "front.json", "back.json")
    assert ran.code == 0, ran.err
    assert_golden("align", "".join(f"{line.rstrip()}\n" for line in ran.out.splitlines()))
    assert len((tmp_path / "pairs.csv").read_text().splitlines()) == 31
    refused = run("align", "front.json", "back.json", "--no-mirror", "--out", "none.csv")
    assert refused.code == 1
    assert "leave --no-mirror out, then 30 do" in refused.err
    assert not (tmp_path / "none.csv").exists()
