"""Lines of keys in TOML files, and the one line that says why a file is not readable."""

from __future__ import annotations

from pathlib import Path

import pytest

from spaces.errors import SpaceError
from spaces.toml_file import read_toml

TEXT = """# a comment
balance = "none"
network.depth = 3

[optimiser]
name = "adam"
[ schemes.cones ]
top = "signal"
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("balance", 2),
        ("network.depth", 3),
        ("optimiser.name", 6),
        ("optimiser.decay", 5),
        ("schemes.cones", 7),
        ("schemes.cones.top", 8),
        ("balance.name", 2),
        ("nowhere", 1),
    ],
)
def test_a_key_has_its_line_or_its_tables(tmp_path: Path, key: str, line: int) -> None:
    (tmp_path / "a.toml").write_text(TEXT)
    assert read_toml(tmp_path / "a.toml", "a file").line(key) == line


def test_what_is_no_toml_is_refused_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("a = [")
    with pytest.raises(SpaceError, match=r"a\.toml: a space file must be readable TOML, but: .*; correct it\.$"):
        read_toml(tmp_path / "a.toml", "a space file")


@pytest.mark.parametrize("text", [f"a = {'[' * 2000}{']' * 2000}", f"a = {'9' * 5000}", "a = " + "[\n" * 2000])
def test_a_hostile_file_is_refused_on_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(SpaceError, match=r"a\.toml: a space file must be readable TOML, but: [^\n]*; correct it\.$"):
        read_toml(tmp_path / "a.toml", "a space file")


def test_a_mark_at_the_start_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_toml(tmp_path / "a.toml", "a space file").line("balance") == 2
