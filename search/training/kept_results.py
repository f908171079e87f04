"""Keep the results of trainings that ended until their command has ended: a command that was stopped goes on where it was.

One file a result, in the cache, under everything that the result follows from; a file that is cut short or changed counts as
missing. Knows nothing of what is trained or of what the results are for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, get_origin

import numpy as np
from cattrs import Converter
from cattrs.errors import BaseValidationError

from foils import DataError, Dataset
from foils.cache import cache_folder, read_cached, write_cached
from pitsearch.typed_values import strict
from search.counting import Step, no_step

Ask = TypeVar("Ask")
Result = TypeVar("Result")


def _is_array(kind: Any) -> bool:
    return get_origin(kind) is np.ndarray


# Arrays as lists: Python writes numbers of 64 bits so that they come back bit for bit.
ARRAYS = strict(Converter(detailed_validation=True))
ARRAYS.register_structure_hook_func(_is_array, lambda values, _: np.array(values, np.float64))
ARRAYS.register_unstructure_hook_func(_is_array, lambda values: values.tolist())


def resume(
    asks: Sequence[Ask],
    key: Callable[[Ask], object],
    kind: type[Result],
    train: Callable[[Sequence[tuple[int, Ask]]], Iterable[tuple[int, Result]]],
    step: Step = no_step,
) -> Iterator[tuple[int, Result]]:
    """Give the result of each ask with its number: first those that were kept, then the others as `train` gives them.

    `key`: what a result follows from, as plain values; `kind`: the dataclass that a result is; `step`: called with how many
    were kept, and after each that is trained. What was kept is removed when every result has been taken.
    """
    places = [_place(key(ask)) for ask in asks]
    kept_results = {number: result for number, place in enumerate(places) if (result := _read(place, kind)) is not None}
    finished = len(kept_results)
    step(finished, len(asks))
    yield from kept_results.items()
    for number, result in train([(number, ask) for number, ask in enumerate(asks) if number not in kept_results]):
        _write(places[number], result)
        finished += 1
        step(finished, len(asks))
        yield number, result
    for file, _ in places:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def data_key(data: Dataset) -> list[object]:
    """Say what a training follows from in its data: the content, the pits that it may see, and what they count as."""
    return [data.fingerprint, data.rows.tolist(), data.labels.tolist(), data.description.signal]


def _place(key: object) -> tuple[Path, str]:
    made_by = [version("pitsearch"), version("torch")]
    text = json.dumps([made_by, key], sort_keys=True)
    return cache_folder() / f"result-{hashlib.sha256(text.encode()).hexdigest()[:32]}.json", text


def _write(place: tuple[Path, str], result: object) -> None:
    content = json.dumps(ARRAYS.unstructure(result)).encode()
    with suppress(DataError):  # a cache that is full or read-only costs a second training, if this command is stopped
        write_cached(*place, lambda stream: stream.write(content))


def _read(place: tuple[Path, str], kind: type[Result]) -> Result | None:
    content = read_cached(*place)
    if content is None:
        return None
    try:
        return ARRAYS.structure(json.loads(content), kind)
    except (BaseValidationError, ValueError, KeyError, TypeError):
        return None
