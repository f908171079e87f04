"""What no graph can hold is said when a study begins, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from foils import Dataset
from models import contracts
from search.launcher.callbacks import Callback
from search.studies.study import Study
from spaces import Space
from spaces.plugins import NetworkPlugin, Plugin, PluginRef, register
from tests.support.studies import SMALL_SPACE, start


class Recorder(Callback):
    """A callback that remembers what is said at the start."""

    def __init__(self) -> None:
        self.notes: Sequence[str] = ()

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.notes = notes


def test_a_network_that_no_graph_can_hold_is_told_before_it_is_trained(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, again = Recorder(), Recorder()
    part = NetworkPlugin("nograph", "raises", lambda *_: torch.nn.Flatten(), varies=())
    register(PluginRef("nograph", "0" * 64, str(tmp_path / "nograph.py")), Plugin(networks=[part]))
    asked: list[Any] = []

    def tried(*network_and_images: Any) -> Iterator[str]:
        asked.append(network_and_images)
        yield "network nograph: no graph"

    monkeypatch.setattr(contracts, "graph_notes", tried)
    space = Space({**SMALL_SPACE.chosen, "network.name": ("pitnet", "nograph")})
    start(tiny, tmp_path, space=space, trials=1, workers=0, callbacks=(recorder,))
    about = tiny.description
    assert asked == [(["nograph"], ["stacked"], about.channels, about.crop, 255)]
    assert "network nograph: no graph" in recorder.notes
    start(tiny, tmp_path, space=space, trials=1, workers=0, callbacks=(again,))  # said once a study
    assert "network nograph: no graph" not in again.notes
    start(tiny, tmp_path, study="ours", trials=1, workers=0)
    assert len(asked) == 1
