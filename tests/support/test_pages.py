"""The reading of pages: blocks with their comments, in order, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pages import Block, Page, page_names, read_page

PAGE = """\
# A page

<!-- starts with: data -->

A sentence with `pitsearch check`.

```bash
pitsearch check mydata   # a comment
# another one
pitsearch launch mydata \\
    --trials 40
```

<!-- file: labels.csv -->
```csv
pit,label
```

<!-- run with: --minutes 10 => --trials 2; one=1 => two=2 -->
<!-- not run: it needs a cluster -->

```bash
pitsearch launch mydata --minutes 10 --fix one=1
```

```toml
# site.toml
[cluster]
```

    indented

1. A list:

   ```python
   # A remark, not a file.
   print(1)
   ```
"""


def read(text: str, folder: Path) -> Page:
    (folder / "page.md").write_text(text)
    return read_page("page.md", folder)


def test_blocks_come_in_order_with_their_comments(tmp_path: Path) -> None:
    page = read(PAGE, tmp_path)
    assert page.starts_with == "data"
    commands, table, small, site, indented, python = page.blocks
    assert commands.commands == ["pitsearch check mydata   # a comment", "pitsearch launch mydata --trials 40"]
    assert (commands.language, commands.line, commands.runs) == ("bash", 8, True)
    assert (table.file, table.text, table.runs) == ("labels.csv", "pit,label\n", True)
    assert small.commands == ["pitsearch launch mydata --trials 2 --fix two=2"]
    assert (small.not_run, small.runs) == ("it needs a cluster", False)
    assert (site.file, site.text) == ("site.toml", "# site.toml\n[cluster]\n")
    assert (indented.language, indented.runs) == ("", False)
    assert (python.language, python.file, python.text) == ("python", None, "# A remark, not a file.\nprint(1)\n")
    assert page.block("# site.toml") is site


def test_a_change_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(
        AssertionError, match="line 3: `run with` must name what the block says, but it does not say '--minutes 9'"
    ):
        _ = Block("bash", "pitsearch launch mydata --minutes 10", 3, changes=(("--minutes 9", "--trials 2"),)).small


@pytest.mark.parametrize("comment", ["not run: x", "file: x.csv", "run with: a => b"])
def test_a_comment_above_prose_is_refused(comment: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="must stand directly above a block"):
        read(f"<!-- {comment} -->\n\nA sentence.\n\n```bash\nls\n```\n", tmp_path)


def test_every_page_is_read() -> None:
    names = page_names()
    assert {"README.md", "CONTRIBUTING.md", "benchmarks/README.md", "docs/commands.md", "docs/decisions/README.md"} <= {*names}
    assert len({*names}) == len(names)
