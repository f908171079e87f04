"""A file of results is tried before anything is trained: folders, devices, missing and read-only places, full disks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.errors import StudyError
from search.report.out_files import try_out


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB. Needs root."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_what_can_be_written_leaves_nothing_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("old.html").write_text("old")
    for name in ("new.html", "old.html"):
        try_out(Path(name))
    assert [path.name for path in tmp_path.iterdir()] == ["old.html"]
    assert Path("old.html").read_text() == "old"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (".", "--out must be a file, but got the folder .; write a file's name behind it."),
        ("/", "--out must be a file, but got the folder /; write"),
        ("/dev/full", "--out must be a file, but got /dev/full, which is a device or the like; choose another --out."),
        ("nowhere/a.html", "--out must lie in an existing folder, but got nowhere/a.html; make the folder first."),
        ("/proc/a.html", "/proc/a.html: --out must be writable, but: "),
    ],
)
def test_what_cannot_be_written_is_refused_on_one_line(
    path: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StudyError) as refused:
        try_out(Path(path))
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


def test_a_full_disk_is_seen_before(small_disk: Path) -> None:
    with pytest.raises(StudyError, match="--sheet must be writable, but: No space left on device; choose another --sheet"):
        try_out(small_disk / "a.png", "--sheet")
    assert [*small_disk.iterdir()] == []
