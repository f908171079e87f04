"""What a search costs: workers side by side, and one fold's epoch against pits, lights, image size and networks."""

from __future__ import annotations

from functools import partial
from itertools import product

from joblib import cpu_count

from benchmarks.speed.throughput import PITS, train_ours
from benchmarks.support.measure import Spread, Table, interleave, ratio, together, workers

WORKERS = (1, 2, 4)
COUNTS, LIGHTS, SIZES = (350, 1400, 5600), (1, 8), (28, 64)
NETWORKS = ("pitnet", "minihip", "resnet10t")
MODES = ("single", "examples", "stacked", "volume")


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Measure scaling and cost. `scale`: of the epochs and pits."""
    with workers(max(WORKERS)) as pool:
        warm = "minihip", 200, 8, 28, 1
        together(pool, max(WORKERS), train_ours, *warm)
        epochs = max(1, round(6 * scale))
        task = "minihip", max(200, round(PITS * min(scale, 1.0))), 8, 28, epochs
        scaling = interleave(rounds, {str(count): partial(together, pool, count, train_ours, *task) for count in WORKERS})

        def epoch(network: str, pits: int, lights: int, size: int, mode: str | None = None) -> str:
            """Time an epoch of one fold in milliseconds for each 1,000 pits of the data set."""
            ratios = [
                1e6 / pits / (together(pool, 1, train_ours, network, pits, lights, size, 1, mode) / per_epoch)
                for per_epoch in [pits * 4 // 5 * (lights if mode == "examples" else 1)] * max(1, rounds // 2)
            ]
            return str(Spread.of(ratios))

        counts = [max(100, round(count * scale)) for count in COUNTS]
        by_pits = [[network, *(epoch(network, count, 8, 28) for count in counts)] for network in NETWORKS]
        few = max(100, round(700 * scale))
        shapes = list(product(SIZES, LIGHTS))
        by_shape = [[network, *(epoch(network, few, lights, size) for size, lights in shapes)] for network in NETWORKS]
        by_mode = [
            [network, *(epoch(network, few, 8, 28, mode) for mode in MODES)] for network in NETWORKS if network != "resnet10t"
        ]
    one = scaling["1"]
    return [
        Table(
            f"Workers side by side on {cpu_count()} cores: minihip, images a second",
            ["workers", "images a second", "ratio to 1 worker"],
            [[name, str(Spread.of(rates)), str(ratio(rates, one))] for name, rates in scaling.items()],
        ),
        Table(
            "One fold's epoch against pits, 28 x 28 x 8: ms for each 1,000 pits of the data set",
            ["network", *(f"{count} pits" for count in counts)],
            by_pits,
        ),
        Table(
            f"One fold's epoch against image size and lights, {few} pits: ms for each 1,000 pits",
            ["network", *(f"{size} x {size} x {lights}" for size, lights in shapes)],
            by_shape,
        ),
        Table(
            f"One fold's epoch against the use of 8 lights, 28 x 28, {few} pits: ms for each 1,000 pits",
            ["network", *MODES],
            by_mode,
        ),
    ]
