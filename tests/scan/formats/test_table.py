"""All formats: none fails on no hits, each refuses a disk that takes nothing, every name is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from scan.errors import ScanError
from scan.formats.table import FORMATS, check_formats
from tests.support.formats import HITS, context


@pytest.mark.parametrize("name", FORMATS)
def test_a_scan_without_hits_can_be_written(name: str, tmp_path: Path) -> None:
    FORMATS[name]([], tmp_path, context())
    assert all(path.stat().st_size for path in tmp_path.rglob("*.*"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_that_cannot_be_is_refused_on_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "hits").write_text("a file")
    with pytest.raises(ScanError, match="the hits must be writable") as caught:
        FORMATS[name](HITS, tmp_path / "hits", context())
    assert "\n" not in str(caught.value)


def test_an_unknown_format_is_refused() -> None:
    check_formats(FORMATS)
    with pytest.raises(ScanError, match="but got 'napary'; perhaps napari was meant"):
        check_formats(["fiji", "napary"])
