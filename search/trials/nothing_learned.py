"""Say in one sentence that nothing in a study has learned, what the likely cause is, and which command tells more."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence

from optuna.trial import FrozenTrial

from models.training.verdicts import Verdict
from search.text import counted
from search.trials.ladder import FEW_EPOCHS
from search.trials.records import RungResult

# With fewer signal pits than this their number is the likely cause: fewer than 50 are left in a training of five folds.
FEW_SIGNALS = 60


def nothing_learned(trials: Sequence[FrozenTrial], folds: int, epochs: int, folder: str) -> str | None:
    """Give the sentence; None where a training has learned, or none has failed yet.

    `folds`, `epochs`: of a whole cross-validation; `folder`: the data's.
    """
    results = [reached for trial in trials if (reached := RungResult.read(trial)) is not None]
    verdicts = Counter(verdict for reached in results for verdict in reached.verdicts)
    # A fold that was started again had collapsed before.
    verdicts[Verdict.COLLAPSED] += sum(sum(reached.reseeds) for reached in results)
    ended = {verdict: count for verdict, count in verdicts.most_common() if count and verdict != Verdict.UNFINISHED}
    if not ended or verdicts[Verdict.LEARNED]:
        return None
    signals = round(max(folds * sum(reached.signals) / len(reached.signals) for reached in results))
    causes = []
    if signals < FEW_SIGNALS:
        causes.append(f"too few signal pits ({signals} searched)")
    if epochs < FEW_EPOCHS:
        causes.append(f"too few epochs ({epochs})")
    causes += ["too small a crop", "labels that images do not tell apart"][: 1 if causes else 2]
    how = ", ".join(f"{count} {verdict}" for verdict, count in ended.items())
    look = shlex.join(["pitsearch", "check", folder, "--sheet", "pits.png"])
    return (
        f"nothing has learned: none of {counted(sum(ended.values()), 'training')} in {counted(len(results), 'trial')} tells "
        f"signal from background ({how}); likely {' or '.join(causes)}; to see the pits: {look}"
    )
