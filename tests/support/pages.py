"""The pages of README and docs, and their code blocks with the comments that tell a test how to run them.

Readers do not see the comments. Directly above a block: `<!-- file: NAME -->`, the file that it is written to;
`<!-- run with: OLD => NEW; OLD => NEW -->`, what a test replaces to be small; `<!-- not run: REASON -->`. Once a page, above
its first block: `<!-- starts with: STATE -->`, what its folder holds at first. Knows nothing of how blocks are run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.repository import ROOT

# Of blocks. `bash` is commands, `text` is output and trees of folders.
LANGUAGES = ("bash", "python", "toml", "csv", "json", "text")
STATES = ("nothing", "data", "study", "bundle")
COMMENT = re.compile(r"<!-- *(starts with|file|run with|not run): *(.*?) *-->", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    # Of its fence; empty for a block that is indented or names none.
    language: str
    text: str
    # The number of its first line of code in the page.
    line: int
    # Where its text is written to, rather than run.
    file: str | None = None
    # What a test replaces in the text: old, new.
    changes: tuple[tuple[str, str], ...] = ()
    # Why it is not run.
    not_run: str | None = None

    @property
    def runs(self) -> bool:
        """Tell whether it is run, or written for another block."""
        return self.not_run is None and (self.language in ("bash", "python") or self.file is not None)

    @property
    def small(self) -> str:
        """Give its text with the changes that make it small. Each must change something."""
        text = self.text
        for old, new in self.changes:
            assert old in text, f"line {self.line}: `run with` must name what the block says, but it does not say {old!r}"
            text = text.replace(old, new)
        return text

    @property
    def commands(self) -> list[str]:
        """Give the commands of a block of bash, one each: lines that end in a backslash are joined, comments are left out."""
        lines = re.sub(r"\\\n *", "", self.small).splitlines()
        return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


@dataclass(frozen=True)
class Page:
    """A page: its path from the repository's root, what its folder holds at first, and its blocks."""

    name: str
    starts_with: str | None
    blocks: tuple[Block, ...]

    def block(self, start: str) -> Block:
        """Give the block that begins with this text."""
        (found,) = [block for block in self.blocks if block.text.startswith(start)]
        return found


def page_names(root: Path = ROOT) -> list[str]:
    """List all pages with blocks that readers run, by their path from the root."""
    docs = sorted(str(path.relative_to(root)) for path in (root / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", "benchmarks/README.md", *docs]


@cache
def read_page(name: str, root: Path = ROOT) -> Page:
    """Read a page and its blocks."""
    text, starts_with, comments = (root / name).read_text(encoding="utf-8"), None, list[tuple[str, str]]()
    blocks = []
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "html_block":
            comments += COMMENT.findall(token.content)
        elif token.type == "fence" and token.info.startswith("{"):
            continue  # a directive of the site
        elif token.type in ("fence", "code_block"):
            blocks.append(_block(token, dict(comments)))
            comments = []
        elif comments:
            # A comment above anything else can only be the page's own.
            assert {key for key, _ in comments} == {"starts with"}, f"{name}: {comments} must stand directly above a block"
            comments = []
        for key, value in comments:
            if key == "starts with":
                assert starts_with in (None, value), f"{name}: `starts with` must be there once"
                starts_with = value
    return Page(name, starts_with, tuple(blocks))


def _block(token: Token, comments: dict[str, str]) -> Block:
    assert token.map is not None
    language, text = token.info.strip(), token.content
    named = re.match(r"# ([\w.-]+\.\w+)\n", text) if language in ("toml", "csv", "python") else None
    changes = [change.split("=>") for change in comments.get("run with", "").split(";") if change.strip()]
    return Block(
        language,
        text,
        token.map[0] + (2 if token.type == "fence" else 1),
        comments.get("file", named[1] if named else None),
        tuple((old.strip(), new.strip()) for old, new in changes),
        comments.get("not run"),
    )
