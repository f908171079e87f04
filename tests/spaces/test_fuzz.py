"""Whatever stands in a space file or in a configuration, only our own errors come of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from spaces import Config, Space
from spaces.errors import SpaceError
from spaces.known_configs import read_known, write_known
from spaces.named_spaces import ready_text
from tests.support.fuzzing import LENGTHS, bounded, edited_text, edited_values

EXAMPLES = {"few": 100, "many": 1500}


@pytest.mark.parametrize("length", LENGTHS)
def test_space_files(length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_text(ready_text("angles")))
    def check(text: str) -> None:
        with TemporaryDirectory() as place:
            path = Path(place) / "space.toml"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            try:
                Space.read(path)
            except SpaceError as error:
                assert len(str(error).splitlines()) == 1

    check()


@pytest.mark.parametrize("length", LENGTHS)
def test_files_of_known_configurations(length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_text(write_known(Config(), "one")))
    def check(text: str) -> None:
        with TemporaryDirectory() as place:
            path = Path(place) / "known.toml"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            try:
                read_known(path)
            except SpaceError as error:
                assert len(str(error).splitlines()) == 1

    check()


@pytest.mark.parametrize("length", LENGTHS)
def test_stored_configurations(length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_values(Config().to_dict()))
    def check(values: Any) -> None:
        try:
            config = Config.from_dict(values)
        except SpaceError as error:
            assert len(str(error).splitlines()) == 1
        else:
            assert Config.from_dict(config.to_dict()) == config

    check()
