"""What pruning kills where there are two objectives: studies whose every trial is audited, one for each pair."""

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
from search.studies.pareto import front_numbers
from search.trials.ladder import Ladder
from search.trials.objectives import CHOICES
from search.trials.records import RungResult
from spaces import Range, Space

PITS, TRIALS, LADDER = 300, 30, "1x2,1x5,5x5,5x15"
# Networks whose cost differs by factors, in modes whose trials take seconds.
SPACE = Space(
    {
        "labelling.scheme": ("binary",),
        "channels.mode": ("single", "stacked"),
        "network.name": ("pitnet", "minihip"),
        "network.depth": Range(2, 4),
        "network.width": (4, 8, 16),
    }
)


def measure(rounds: int = 3, scale: float = 1.0) -> list[Table]:
    """Search with every trial audited, once for each round and pair. `scale`: of the pits and trials."""
    pits, trials = max(250, round(PITS * scale)), max(6, round(TRIALS * scale))
    ladder = Ladder.parse(LADDER)
    costs = {str(rung): rung.cost for rung in ladder.rungs}
    rows = []
    for objectives in CHOICES[1:]:
        for seed in range(rounds):
            with TemporaryDirectory() as folder:
                foils = Path(folder) / "foils"
                synthesise(foils, SyntheticFoils(seed=seed, counts=scaled_counts(pits)))
                study = launch(
                    load(foils),
                    SPACE,
                    SearchOptions(audit=1.0, seed=seed, ladder=ladder, objectives=objectives, pruner=defaults.FRONT_PRUNER),
                    budget=Budget(trials),
                    storage=f"sqlite:///{folder}/studies.db",
                )
                all_trials = study.optuna.trials
                records = {trial.number: record for trial in all_trials if (record := RungResult.read(trial))}
                result, best = audit(all_trials, objectives), front_numbers(all_trials, study.plan)
                spent = sum(costs[record.would_prune or record.rung] for record in records.values())
                rows.append(
                    [
                        ",".join(objectives),
                        str(seed),
                        str(result.audited),
                        str(result.good),
                        ", ".join(f"{count} at {rung}" for rung, count in result.killed.items()) or "0",
                        str(result.wrong_kills),
                        f"{sum(records[number].would_prune is not None for number in best)}/{len(best)}",
                        f"{spent / (len(records) * ladder.rungs[-1].cost):.2f}",
                    ]
                )
    return [
        Table(
            f"What pruning would have killed of two objectives: {trials} audited trials on synthetic foils of {pits} pits",
            [
                "objectives",
                "seed",
                "audited",
                "good",
                "killed",
                "wrong-kill rate",
                "of the front, killed",
                "fold-epochs with pruning",
            ],
            rows,
            ["good beside those that are no worse in the other objective; fold-epochs as shares of full cross-validations"],
        )
    ]
