"""Three rounds of the queue on a synthetic foil find more signal per label than chance, and than one list of scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from foils import Dataset, SyntheticFoils, load, synthesise
from foils.near_duplicates import standardised
from foils.synthetic.synthesise import scaled_counts
from scan.choosing import choose
from tests.support.hits import hit

PITS, STARTS, ROUNDS, LABELS_A_ROUND = 400, 8, 3, 20
# Labels at the beginning, in the shares of the foil.
SIGNALS, BACKGROUNDS = 4, 16
WAYS = ("queue", "chance", "one list", "new list each round")
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class CheapModel:
    """Five logistic regressions on bootstrap draws of the pits with labels, in the place of a bundle."""

    def __init__(self, data: Dataset) -> None:
        space = PCA(40, svd_solver="randomized", random_state=0).fit_transform(standardised(data.crops()))
        self.values, self.is_signal = space / space.std(0), data.is_signal

    def scores(self, labelled: Ints) -> tuple[Floats, Floats]:
        """Give P(signal) and its spread over the members, `[pits]` each."""
        chances = []
        for member in range(5):
            draw = np.random.default_rng(member)
            parts = labelled[self.is_signal[labelled]], labelled[~self.is_signal[labelled]]
            drawn = np.concatenate([draw.choice(part, len(part)) for part in parts])
            model = LogisticRegression(C=0.3, max_iter=500).fit(self.values[drawn], self.is_signal[drawn])
            chances.append(model.predict_proba(self.values)[:, 1])
        return np.mean(chances, 0), np.std(chances, 0)


def found(data: Dataset, model: CheapModel, way: str, seed: int) -> int:
    """Count the signal pits that three rounds of a way to look through the foil find."""
    draw, crops = np.random.default_rng(seed), data.crops()
    kinds = ((np.flatnonzero(data.is_signal), SIGNALS), (np.flatnonzero(~data.is_signal), BACKGROUNDS))
    labelled = np.concatenate([draw.choice(pits, count, replace=False) for pits, count in kinds])
    first = model.scores(labelled)[0]
    for _ in range(ROUNDS):
        chances, spread = model.scores(labelled)
        pool = np.setdiff1d(np.arange(len(data)), labelled)
        if way == "queue":
            hits = [
                hit(n, p_signal=float(chances[n]), spread=float(spread[n]), slide=pit.slide, x=pit.x, y=pit.y)
                for n, pit in ((int(n), data.pits[n]) for n in pool)
            ]
            choices = choose(hits, crops[pool], data.description.channels, LABELS_A_ROUND, crops[labelled])
            chosen = pool[[choice.index for choice in choices]]
        elif way == "chance":
            chosen = draw.choice(pool, LABELS_A_ROUND, replace=False)
        else:
            order = first if way == "one list" else chances
            chosen = pool[np.argsort(-order[pool], kind="stable")][:LABELS_A_ROUND]
        labelled = np.concatenate([labelled, chosen])
    return int(data.is_signal[labelled].sum()) - SIGNALS


@pytest.mark.slow
def test_three_rounds_find_more_signal_than_chance_and_than_one_list_of_scores(tmp_path: Path) -> None:
    """The queue also keeps up with the list of a model that is trained again after each round, which it cannot pass by much.

    `pytest -s` prints the figures that docs/commands.md quotes.
    """
    data = load(synthesise(tmp_path / "foil", SyntheticFoils(counts=scaled_counts(PITS), seed=5)))
    model = CheapModel(data)
    counts = {way: np.array([found(data, model, way, seed) for seed in range(STARTS)]) for way in WAYS}
    for way, each in counts.items():
        error = each.std(ddof=1) / np.sqrt(STARTS)
        print(f"{way}: {each.mean():.1f} of {int(data.is_signal.sum()) - SIGNALS} signal pits, standard error {error:.1f}")
    mean = {way: each.mean() for way, each in counts.items()}
    assert mean["queue"] > 1.5 * mean["chance"], counts
    # Start by start, for starts differ more than ways do.
    better = counts["queue"] - counts["one list"]
    assert better.mean() > better.std(ddof=1) / np.sqrt(STARTS), counts
    assert mean["queue"] > 0.85 * mean["new list each round"], counts
