"""Results that ended before a command was stopped are not trained again; what is damaged is; nothing stays when it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from foils import Dataset
from foils.folds import fold_numbers
from search.training.cross_validation import CVRequest, splits, train_repeats
from search.training.kept_results import resume
from spaces import Config
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser


@dataclass(frozen=True)
class Sum:
    """What a toy training gives."""

    total: int
    parts: npt.NDArray[np.floating]
    names: tuple[str, ...]


ASKS = ["a", "bb", "ccc"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path))
    return tmp_path


class Toy:
    """Trains by counting letters, and remembers what it trained."""

    def __init__(self) -> None:
        self.trained: list[str] = []

    def __call__(self, asks: Sequence[tuple[int, str]]) -> Iterator[tuple[int, Sum]]:
        for number, ask in asks:
            self.trained.append(ask)
            yield number, Sum(len(ask), np.array([len(ask) / 3, 0.1]), (ask,))

    def run(self) -> Iterator[tuple[int, Sum]]:
        return resume(ASKS, lambda ask: ["toy", ask], Sum, self)


def stop_after(results: Iterable[tuple[int, Sum]], count: int) -> None:
    for _, (number, _) in zip(range(count), results, strict=False):
        assert number < count


def test_what_ended_before_a_stop_is_given_again_bit_for_bit(cache: Path) -> None:
    whole = dict(Toy().run())
    assert [*cache.iterdir()] == []
    stop_after(Toy().run(), 2)
    assert len([*cache.iterdir()]) == 2
    again = Toy()
    resumed = dict(again.run())
    assert again.trained == ["ccc"]
    assert [(one.total, one.names) for one in resumed.values()] == [(1, ("a",)), (2, ("bb",)), (3, ("ccc",))]
    assert all(np.array_equal(resumed[number].parts, whole[number].parts) for number in range(3))
    assert [*cache.iterdir()] == []


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"0123\n{}", b"\n"])
def test_a_damaged_result_counts_as_missing(cache: Path, content: bytes) -> None:
    stop_after(Toy().run(), 1)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    for damaged in (content, whole[:-1], whole.replace(b"1", b"2")):
        file.write_bytes(damaged)
        again = Toy()
        assert [one.total for one in dict(again.run()).values()] == [1, 2, 3]
        assert again.trained == ASKS


def test_a_cache_that_cannot_be_written_costs_nothing_but_the_keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "file" / "cache"))
    assert [one.total for one in dict(Toy().run()).values()] == [1, 2, 3]


def test_a_cross_validation_that_ended_before_a_stop_is_not_trained_again(
    cache: Path, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = splits(fold_numbers(tiny, 5, 0))
    config = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adam", 1e-2, batch_size=16))
    asks = [CVRequest(tiny, config, folds, seed, 1, 0.1) for seed in range(2)]
    ended = next(iter(train_repeats(asks, 1)))
    monkeypatch.setattr("search.training.cross_validation.train_repeat", lambda ask: replace(ended[1], seconds=float(ask.seed)))
    again = dict(train_repeats(asks, 1))
    assert ended[0] == 0
    assert np.array_equal(again[0].probabilities, ended[1].probabilities)
    assert (again[0].verdicts, again[0].seconds, again[1].seconds) == (ended[1].verdicts, ended[1].seconds, 1.0)
    other = replace(asks[0], seed=5), replace(asks[0], epochs=2), replace(asks[0], reseed=False)
    assert {repeat.seconds for _, repeat in train_repeats(other, 1)} == {0.0, 5.0}
