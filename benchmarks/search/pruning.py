"""What pruning kills: a study whose every trial is audited, and what the ladder would have saved."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.support.measure import Table
from foils import load
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from search import defaults
from search.launcher.launch import launch
from search.pruning.audit import measure as audit
from search.studies.options import Budget, SearchOptions
from search.trials.ladder import Ladder
from search.trials.records import RungResult
from spaces import Space

PITS, TRIALS = 1393, 60
# The modes whose trials take seconds; examples and volume cost some five to ten times as much.
SPACE = Space({"channels.mode": ("single", "stacked")})


def measure(rounds: int = 1, scale: float = 1.0) -> list[Table]:
    """Search with every trial audited, once for each round. `scale`: of the pits and trials."""
    pits, trials = max(250, round(PITS * scale)), max(6, round(TRIALS * scale))
    ladder = Ladder.parse(defaults.LADDER)
    costs = {str(rung): rung.cost for rung in ladder.rungs}
    rows = []
    for seed in range(rounds):
        with TemporaryDirectory() as folder:
            foils = Path(folder) / "foils"
            synthesise(foils, SyntheticFoils(seed=seed, counts=scaled_counts(pits)))
            study = launch(
                load(foils),
                SPACE,
                SearchOptions(audit=1.0, seed=seed, pruner="trailing"),
                budget=Budget(trials),
                storage=f"sqlite:///{folder}/studies.db",
            )
            records = [record for trial in study.optuna.trials if (record := RungResult.read(trial))]
            result = audit(study.optuna.trials)
            spent = sum(costs[record.would_prune or record.rung] for record in records)
            rows.append(
                [
                    str(seed),
                    str(result.audited),
                    str(result.good),
                    ", ".join(f"{count} at {rung}" for rung, count in result.killed.items()) or "0",
                    str(result.wrong_kills),
                    f"{spent / (len(records) * ladder.rungs[-1].cost):.2f}",
                    f"{sum(record.epochs_run for record in records) / (len(records) * ladder.rungs[-1].cost):.2f}",
                ]
            )
    return [
        Table(
            f"What pruning would have killed: {trials} audited trials on synthetic foils of {pits} pits",
            ["seed", "audited", "good", "killed", "wrong-kill rate", "fold-epochs with pruning", "fold-epochs trained"],
            rows,
            ["fold-epochs as shares of full cross-validations; what was trained stays under 1 by what is known by heart"],
        )
    ]
