"""Map a function over items on worker processes, with one thread and one item at a time each.

joblib starts the processes and maps large arrays into their memory, in place of a copy for every item. They end with the
process that started them, however that ends, and leave nothing in shared memory. Knows nothing of what the function does.
"""

from __future__ import annotations

import atexit
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend.resource_tracker import ensure_running

from pitsearch.process import check_worker, deaf_children, start_tracker, start_worker
from search.errors import StudyError
from spaces.plugin_files import plain_refs

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(work: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Do some work on each item and give the results as they come; an item is drawn when a worker is free.

    Workers end at once where the results are no longer asked for, and within a second where this process is gone. Raises
    StudyError where a worker is killed, and SpaceError where it cannot load a plugin; results given before are whole.
    """
    start = {"initializer": start_worker, "initargs": (plain_refs(), os.getpid()), "inner_max_num_threads": 1}
    options: dict[str, Any] = start if workers > 1 else {}
    # joblib replaces a worker that has grown by 300 MB, in a thread of its own that a warning made an error would end.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
    with parallel_config("loky", n_jobs=workers, **options):
        parallel = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")
        if workers > 1:
            _end_workers_at_exit()
            start_tracker(ensure_running)
        results: Any = None
        try:
            with deaf_children():
                results = parallel(delayed(_do)(work, item) for item in items)
            for result in results:  # noqa: UP028 -- `yield from` would close joblib's generator with a warning
                yield result
        except BrokenProcessPool:
            raise StudyError(
                f"a worker was killed, perhaps for want of memory, with {workers} workers; what finished is kept: "
                "run the same command again, with fewer --workers."
            ) from None
        except BaseException:
            if workers > 1 and results is not None:
                _end_workers()
                with warnings.catch_warnings(action="ignore"):
                    results.close()
            raise


def _do(work: Callable[[Item], Result], item: Item) -> Result:
    check_worker()
    return work(item)


@lru_cache(maxsize=1)
def _end_workers_at_exit() -> None:
    """End what still works when this process ends: joblib would wait for it."""
    atexit.register(_end_workers)


def _end_workers() -> None:
    """End the worker processes of this one at once."""
    get_reusable_executor(max_workers=1, kill_workers=True).shutdown(wait=True, kill_workers=True)
