"""Every test that the page of security names is there, under its name, and the pinned versions are those that it says."""

from __future__ import annotations

import re

import pytest

from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", PAGE)))


def test_the_page_names_tests() -> None:
    assert len(TESTS) > 30


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_a_named_test_is_there(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_pinned_versions_are_those_of_the_page() -> None:
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().lower().splitlines() if "==" in line)
    rows = re.findall(r"^\| ([a-z]+) \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert len(rows) > 5
    assert [(name, pinned[name]) for name, _ in rows] == rows
