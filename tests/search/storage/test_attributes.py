"""Attributes of a study that follow from those that are there: processes which add at once overwrite nothing."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import optuna

from search.storage.attributes import add_attribute
from search.storage.connect import backend_of, open_storage


def next_key(attributes: Mapping[str, Any]) -> tuple[str, Any]:
    number = sum(key.startswith("entry:") for key in attributes) + 1
    return f"entry:{number}", {"seen": number - 1}


def test_all_that_is_added_at_once_is_there(storage_url: str) -> None:
    storage = open_storage(storage_url, create=True)
    study = optuna.create_study(study_name="tiny", storage=storage)
    backend = backend_of(storage)
    with ThreadPoolExecutor(8) as pool:
        keys = [*pool.map(lambda _: add_attribute(backend, study._study_id, next_key), range(16))]
    assert sorted(keys) == sorted(f"entry:{number}" for number in range(1, 17))
    assert study.user_attrs == {f"entry:{number}": {"seen": number - 1} for number in range(1, 17)}


def test_an_attribute_that_is_there_is_replaced(storage_url: str) -> None:
    storage = open_storage(storage_url, create=True)
    study = optuna.create_study(study_name="tiny", storage=storage)
    assert add_attribute(backend_of(storage), study._study_id, lambda _: ("entry", "first")) == "entry"
    assert add_attribute(backend_of(storage), study._study_id, lambda _: ("entry", "second")) == "entry"
    assert study.user_attrs == {"entry": "second"}
