"""Fixtures for every test: a cache of its own, and one thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from foils import Dataset, load
from foils.held_out_log import LOG
from spaces.plugins import registered, unregister

# An assertion of what tests share tells its values as one of a test does.
pytest.register_assert_rewrite("tests.support")

from tests.support.tiny import write_dataset  # noqa: E402  # pytest must know of it first

# The same examples in every run, however long one takes: a busy machine must fail no test.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")

# Real databases and clusters, for the tests that ask for one; and lines at the end.
pytest_plugins = ["tests.support.engines", "tests.support.lines"]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep packed pixels and trained members away from the user's cache, in workers too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PITSEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Train as workers do: the numbers of one thread do not depend on the machine's cores."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def own_plugins() -> Iterator[None]:
    """Take out of the tables what a test adds: later tests' workers would load it from a file that has changed."""
    before = registered()
    yield
    for ref in registered():
        if ref not in before:
            unregister(ref.name)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data-set folder that a small network learns in a few epochs. Only the log of its held-out set may be written."""
    return write_dataset(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture(autouse=True)
def own_held_out_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no test see what another one searched and opened of the data that they share."""
    yield
    if "tiny_folder" in request.fixturenames:
        (request.getfixturevalue("tiny_folder") / LOG).unlink(missing_ok=True)


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Dataset:
    """The same, loaded."""
    return load(tiny_folder)
