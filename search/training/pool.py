"""Map a function over items on worker processes, with one thread and one item at a time each.

joblib starts the processes and maps large arrays into their memory, in place of a copy for every item. Knows nothing of what
the function does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config

from pitsearch.process import start_worker
from search.errors import StudyError
from spaces.plugin_files import plain_refs

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Do some work on each item and give the results as they come; an item is drawn when a worker is free.

    Raises StudyError where a worker is killed; results given before are whole.
    """
    start = {"initializer": start_worker, "initargs": (plain_refs(),), "inner_max_num_threads": 1}
    options: dict[str, Any] = start if workers > 1 else {}
    with parallel_config("loky", n_jobs=workers, **options):
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        try:
            yield from parallel(delayed(work)(item) for item in items)
        except BrokenProcessPool:
            raise StudyError(
                f"a worker was killed, perhaps for want of memory, with {workers} workers; what finished is kept: "
                "run the same command again, with fewer --workers."
            ) from None
