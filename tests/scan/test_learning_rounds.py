"""Three rounds of the queue on synthetic foils find more signal per label than chance, and than one list of scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from foils import Dataset, SyntheticFoils, load, synthesise
from foils.near_duplicates import standardised
from scan.choosing import choose
from tests.support.hits import hit

ROUNDS, LABELS_A_ROUND, FIRST = 3, 30, 10
COUNTS = {"candidate": 40, "top": 40, "bottom": 150, "misc": 30}
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class CheapModel:
    """Five logistic regressions on bootstrap draws of the pits with labels, in the place of a bundle."""

    def __init__(self, data: Dataset) -> None:
        from sklearn.decomposition import PCA

        space = PCA(30, random_state=0).fit_transform(standardised(data.crops()))
        self.values, self.is_signal = space / space.std(0), data.is_signal

    def scores(self, labelled: Ints) -> tuple[Floats, Floats]:
        """Give P(signal) and its spread over the members, `[pits]` each."""
        from sklearn.linear_model import LogisticRegression

        signal, background = labelled[self.is_signal[labelled]], labelled[~self.is_signal[labelled]]
        chances = []
        for member in range(5):
            draw = np.random.default_rng(member)
            drawn = np.concatenate([draw.choice(part, len(part)) for part in (signal, background)])
            model = LogisticRegression(C=0.3, class_weight="balanced", max_iter=500)
            chances.append(model.fit(self.values[drawn], self.is_signal[drawn]).predict_proba(self.values)[:, 1])
        return np.mean(chances, 0), np.std(chances, 0)


def found(data: Dataset, way: str, seed: int) -> int:
    """Count the signal pits that are among the labels of three rounds, beyond those at the beginning."""
    draw, model, crops = np.random.default_rng(seed), CheapModel(data), data.crops()
    of_kind = np.flatnonzero(data.is_signal), np.flatnonzero(~data.is_signal)
    first = np.concatenate([draw.choice(of_kind[0], 2, replace=False), draw.choice(of_kind[1], FIRST - 2, replace=False)])
    labelled, once = first, model.scores(first)[0]
    for _ in range(ROUNDS):
        pool = np.setdiff1d(np.arange(len(data)), labelled)
        if way == "queue":
            chances, spread = model.scores(labelled)
            hits = [
                hit(index, p_signal=float(chances[index]), spread=float(spread[index]), slide=pit.slide, x=pit.x, y=pit.y)
                for index, pit in ((int(index), data.pits[index]) for index in pool)
            ]
            choices = choose(hits, crops[pool], data.description.channels, LABELS_A_ROUND, crops[labelled])
            chosen = pool[[choice.index for choice in choices]]
        elif way == "score order":
            chosen = pool[np.argsort(-once[pool])][:LABELS_A_ROUND]
        else:
            chosen = draw.choice(pool, LABELS_A_ROUND, replace=False)
        labelled = np.concatenate([labelled, chosen])
    return int(data.is_signal[labelled].sum()) - 2


@pytest.mark.slow
def test_three_rounds_find_more_signal_than_chance_and_than_the_order_of_scores(tmp_path: Path) -> None:
    total = dict.fromkeys(("queue", "random", "score order"), 0)
    for seed in range(2):
        data = load(synthesise(tmp_path / str(seed), SyntheticFoils(counts=COUNTS, seed=seed, difficulty=0.3)))
        for way in total:
            total[way] += found(data, way, seed)
    assert total["queue"] > 1.5 * total["random"], total
    assert total["queue"] > total["score order"], total
