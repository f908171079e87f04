"""A launch writes down what it runs with, and a record that is none is refused in one line."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from search.errors import StudyError
from search.studies.environment import ENVIRONMENT, read_environment, this_environment
from search.studies.study import Study


def test_a_launch_writes_down_versions_and_machine(finished: Study) -> None:
    environment = read_environment(finished)
    assert environment == this_environment()
    assert environment is not None
    assert environment.versions["torch"] == version("torch")
    assert environment.cores >= 1 and environment.processor


def test_an_older_study_has_none_and_a_damaged_record_is_one_error(finished: Study) -> None:
    finished.optuna.set_user_attr(ENVIRONMENT, {"format": 1, "python": 3})
    with pytest.raises(StudyError, match=r"^the environment of study 'tiny' must be"):
        read_environment(finished)
    finished.optuna.set_user_attr(ENVIRONMENT, None)
    assert read_environment(finished) is None
