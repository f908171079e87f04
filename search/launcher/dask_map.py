"""Map a function over items on a Dask cluster, as `search/training/pool.py` does on the processes of one machine.

The cluster is opened when the first items are there. A job that is lost has its item done again by another. Knows nothing of
what the function does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from distributed import CancelledError, Client, as_completed

from pitsearch.errors import PitsearchError
from search.launcher.cluster_config import ClusterConfig
from search.launcher.dask_cluster import lost_cluster, open_cluster
from spaces.plugin_files import plain_refs, use_same

# Items that wait for each job, so that none is idle while results travel.
AHEAD = 2


@dataclass(frozen=True)
class DaskMap:
    """Do some work on each item in jobs of a cluster, and give the results as they come; an item is drawn when one is free."""

    cluster: ClusterConfig | str
    # Jobs that work at the same time, at most.
    jobs: int
    # For what the jobs print; the nodes must share it, and what the items name.
    folder: Path
    # Told a line about something that happened.
    note: Callable[[str], None]
    _opened: ExitStack
    _clients: list[Client] = field(default_factory=list)

    def __call__(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """Map. Raises StudyError where the cluster is lost, and what the function raises; results given before are whole."""
        waiting = iter(items)
        begun = list(islice(waiting, AHEAD * self.jobs))
        if not begun:
            return
        client, refs = self._client(), plain_refs()
        try:
            submitted = [client.submit(_do, work, refs, item, pure=False) for item in begun]
            # By default the loop is that of Dask's default client, and there is none.
            futures: Any = as_completed(submitted, loop=client.loop)  # type: ignore[no-untyped-call]
            for future in futures:
                yield future.result()
                futures.update(client.submit(_do, work, refs, item, pure=False) for item in islice(waiting, 1))
        except PitsearchError:
            raise
        except (Exception, CancelledError) as error:  # whatever Dask makes of a scheduler that is gone
            raise lost_cluster(error) from None

    def _client(self) -> Client:
        if not self._clients:
            client = self._opened.enter_context(open_cluster(self.cluster, self.jobs, self.folder, self.note))
            if not client.ncores():  # type: ignore[no-untyped-call]
                self.note("waiting for the first worker of the cluster")
            self._clients.append(client)
        return self._clients[0]


@contextmanager
def dask_map(
    cluster: ClusterConfig | str, jobs: int, folder: Path, note: Callable[[str], None] = lambda text: None
) -> Iterator[DaskMap]:
    """Give a map over the jobs of a cluster, and leave no job behind. Raises StudyError as `open_cluster` does."""
    with ExitStack() as opened:
        yield DaskMap(cluster, jobs, folder, note, opened)


def _do(work: Callable[[Any], Any], refs: tuple[tuple[str, str, str], ...], item: Any) -> Any:
    use_same(refs)
    return work(item)
