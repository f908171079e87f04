"""The scores out of fold that a trial had on each rung, kept in its study so that later rules can be replayed on them.

A score is kept as log-odds in 65,536 even steps between the least and the greatest of its rung, two bytes a pit: the order of
pits survives, except of those that lie closer than a step. With them goes the class that each pit was taken for, so that a
confusion matrix needs no training. A thousand pits on a rung take some 4 kB. A study that an older pitsearch made has none, or
none with classes, and neither has a rung whose pits are more than a text field of a database holds. Knows nothing of how scores
come about, nor of what is made of them.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.trial import BaseTrial
from scipy.special import expit, logit

from models.metrics import Flags, Floats
from search.errors import StudyError
from search.trials.formats import Migration, from_plain, upgrade

# The key of a rung's scores is this and the rung.
SCORES = "scores"
# MySQL's TEXT holds 65,535 bytes; the rest is for names and numbers.
MOST = 60_000
# Scores of exactly 0 and 1 have no log-odds; float64 tells these from 0 and 1.
CLOSE = 1e-15
STEPS = 2**16 - 1
# Each takes the format of its place, counted from 1, to the next. Format 1 had no classes, which are then not known.
MIGRATIONS: tuple[Migration, ...] = (dict,)
# Of the byte that holds a pit's flags: their bits, and the largest number of a class that fits into the others.
FLAG_BITS = 2
LAST_CLASS = 2**6 - 2


@dataclass(frozen=True)
class RungScores:
    """Scores on a rung, one value a pit that its folds validated, in the order of the pits that trials may see."""

    # P(signal) out of fold, `[pits]`.
    scores: Floats
    # The fold of each.
    folds: npt.NDArray[np.int64]
    is_signal: Flags
    is_scored: Flags
    # The number of the class with the highest probability among those of the trial's labelling, signal 0; None where that was
    # not recorded.
    classes: npt.NDArray[np.int64] | None = None

    def by_fold(self) -> list[tuple[Floats, Flags]]:
        """Give scores and whether signal of each fold's scored pits, as `search.statistics.fitted` takes them."""
        picked = [(self.folds == fold) & self.is_scored for fold in range(int(self.folds.max()) + 1)]
        return [(self.scores[pits], self.is_signal[pits]) for pits in picked]


@dataclass(frozen=True)
class _Stored:
    """What a rung's scores are stored as."""

    # Log-odds of the first and the last step.
    low: float
    high: float
    # Base 64 of deflated bytes: steps of two bytes, least first; fold; 1 for signal, plus 2 where it is scored, plus 4 times
    # (the number of the class + 1), or nothing where that is not known.
    packed: str


def pack_scores(rung: str, scores: RungScores) -> dict[str, Any]:
    """Give a rung's scores as the user attribute that holds them; none where they are too many for it."""
    log_odds = logit(np.clip(scores.scores.astype(np.float64), CLOSE, 1 - CLOSE))
    low, high = float(log_odds.min()), float(log_odds.max())
    steps = np.rint((log_odds - low) / max(high - low, CLOSE) * STEPS).astype("<u2")
    classes = scores.classes if scores.classes is not None and scores.classes.max() <= LAST_CLASS else -1
    flags = (scores.is_signal + 2 * scores.is_scored + ((classes + 1) << FLAG_BITS)).astype(np.uint8)
    parts = steps.tobytes(), scores.folds.astype(np.uint8).tobytes(), flags.tobytes()
    packed = base64.b64encode(zlib.compress(b"".join(parts), 9)).decode()
    stored = {"format": len(MIGRATIONS) + 1, **asdict(_Stored(low, high, packed))}
    return {} if len(packed) > MOST else {f"{SCORES}:{rung}": stored}


def write_scores(trial: BaseTrial, rung: str, scores: RungScores) -> None:
    """Write a rung's scores into the trial that runs here."""
    for name, value in pack_scores(rung, scores).items():
        trial.set_user_attr(name, value)


def read_scores(trial: BaseTrial, rung: str) -> RungScores | None:
    """Read a rung's scores; None where there are none. Raises StudyError where they are not what was written."""
    values: Mapping[str, Any] | None = trial.user_attrs.get(f"{SCORES}:{rung}")
    if values is None:
        return None
    what = f"the scores of trial {trial.number} on rung {rung}"
    stored = from_plain(_Stored, upgrade(values, MIGRATIONS, what), what)
    try:
        inflated = zlib.decompressobj()
        content = inflated.decompress(base64.b64decode(stored.packed, validate=True), 4 * MOST)
        is_whole = inflated.eof and len(content) % 4 == 0 and len(content) > 0
    except (binascii.Error, zlib.error, ValueError):
        is_whole = False
    if not is_whole or not np.isfinite([stored.low, stored.high]).all():
        raise StudyError(f"{what} must be those that were written, but are damaged; choose another trial.")
    pits = len(content) // 4
    steps = np.frombuffer(content, "<u2", pits).astype(np.float64)
    folds, flags = (np.frombuffer(content, np.uint8, pits, start * pits) for start in (2, 3))
    log_odds = stored.low + steps / STEPS * (stored.high - stored.low)
    classes = (flags >> FLAG_BITS).astype(np.int64) - 1
    known = None if (classes < 0).any() else classes
    return RungScores(expit(log_odds), folds.astype(np.int64), flags & 1 > 0, flags & 2 > 0, known)
