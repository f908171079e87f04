"""A policy of searching as data: rule, ladder, score and start, written `RULE/LADDER/SCORE/START`.

RULE is `full`, `median`, `trailing` or `halving`, which end trials for good; `promotion`, the rule of a launch; or `pause`,
`pause:REDUCTION` or `pause:REDUCTION:LEAST`, which completes the best paused trials as time runs out, at least so many. SCORE
is one of `scores.py`. START is `random`, or what comes first, joined by `+`: `network`, the network in use, which is never
pruned, or at the top in the end; `sound`, the sound recipe; `portfolio`; or a configuration's number. `naive`, `whole` and
`shipped` are short for policies of today. Knows nothing of tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmarks.replay.rules import RULES
from benchmarks.replay.scores import SCORES
from search import defaults
from search.pruning.promotion import PROMOTION
from search.pruning.pruners import REDUCTION
from search.trials.ladder import Ladder

PAUSE = "pause"
STARTS = ("network", "sound", "portfolio")

SHORT = {
    # The script that people write, but for TPE, and with our selection.
    "naive": "median/1x30,2x30,3x30,4x30,5x30/a5:mean/random",
    "whole": "full/5x30/a5:mean/random",
    # As `pitsearch launch` searches unless told otherwise, and `select` chooses, but for TPE.
    "shipped": f"{defaults.PRUNER}/{defaults.LADDER}/mean/network+portfolio",
}
_FINE, _FOLDS = "1x3,2x3,5x3,5x9,5x30", "1x3,1x9,2x9,3x9,5x9,5x30"
DEFAULT = (
    *SHORT,
    f"trailing/{defaults.LADDER}/a5:mean/portfolio",
    f"halving/{defaults.LADDER}/mean/portfolio",
    f"{PAUSE}:3:5/{defaults.LADDER}/mean/portfolio",
    # Compared or selected by another measure.
    f"{PROMOTION}/{defaults.LADDER}/mean:a5/network+portfolio",
    f"{PROMOTION}/{defaults.LADDER}/a5:mean/network+portfolio",
    f"{PROMOTION}/{defaults.LADDER}/a5/network+portfolio",
    f"{PROMOTION}/{defaults.LADDER}/mean+:mean/network+portfolio",
    f"{PROMOTION}/{defaults.LADDER}/mean3/network+portfolio",
    f"{PROMOTION}/{defaults.LADDER}/fit:mean/network+portfolio",
    # On other ladders.
    f"{PROMOTION}/{_FINE}/mean/network+portfolio",
    f"{PROMOTION}/{_FOLDS}/mean/network+portfolio",
    # From another start.
    f"{PROMOTION}/{defaults.LADDER}/mean/random",
    f"{PROMOTION}/{defaults.LADDER}/mean/network+sound",
    f"{PROMOTION}/{defaults.LADDER}/mean/network+sound+portfolio",
)


@dataclass(frozen=True)
class Policy:
    """How to search."""

    # As it was written.
    text: str
    # Of RULES, PROMOTION, or PAUSE.
    rule: str
    ladder: Ladder
    # Of SCORES, with `+` behind it where chance is added; behind a colon that by which complete trials are selected.
    score: str
    # What comes first, of STARTS or numbers of configurations.
    start: tuple[str, ...]
    # Of the trials on a rung one in so many is promoted, where trials pause.
    reduction: int = REDUCTION
    # So many complete trials are cared for as time runs out, where trials pause; 0: the deadline is not looked at.
    least: int = 0

    @property
    def sees_deadline(self) -> bool:
        """Tell whether the policy searches otherwise where it has more time."""
        return self.rule == PROMOTION or self.least > 0

    @property
    def audit(self) -> float:
        """The share of trials that are never pruned: that of a launch, for the rules that a launch has."""
        return defaults.AUDIT if self.rule in ("trailing", "halving") else 0.0

    @classmethod
    def parse(cls, text: str) -> Policy:
        """Read a policy. Raises ValueError or StudyError, in one line, where it is none."""
        parts = SHORT.get(text, text).split("/")
        if len(parts) != 4:
            raise ValueError(f"a policy must be written RULE/LADDER/SCORE/START, but got {text!r}; write e.g. {DEFAULT[-1]!r}.")
        rule, ladder, score, start = parts
        numbers = re.fullmatch(rf"{PAUSE}(?::([2-9]))?(?::([1-9]\d?))?", rule)
        if rule not in (*RULES, PROMOTION) and numbers is None:
            raise ValueError(f"a rule must be one of {', '.join((*RULES, PROMOTION, PAUSE))}, but got {rule!r}; correct it.")
        on_rung, colon, selecting = score.partition(":")
        if on_rung.removesuffix("+") not in SCORES or (colon and selecting not in SCORES):
            raise ValueError(f"a score must be one of {', '.join(SCORES)}, but got {score!r}; correct it.")
        first = () if start == "random" else tuple(start.split("+"))
        if any(name not in STARTS and not name.isdecimal() for name in first):
            raise ValueError(f"a start must be of random, {', '.join(STARTS)} and numbers, but got {start!r}; correct it.")
        if numbers is None:
            return cls(text, rule, Ladder.parse(ladder), score, first)
        return cls(text, PAUSE, Ladder.parse(ladder), score, first, int(numbers[1] or REDUCTION), int(numbers[2] or 0))
