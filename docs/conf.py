"""The documentation site: pages of this folder and of the repository, the public names, and the help of all commands.

`make docs` builds it into build/site. Knows nothing of what the pages say.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy.typing
import typer
from pygments.lexers.special import TextLexer  # type: ignore[import-untyped]  # pygments has no types
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

import pitsearch  # noqa: E402  # of this checkout, whatever is installed
from pitsearch.location import PACKAGES  # noqa: E402  # as above
from search.cli.app import app as commands  # noqa: E402  # as above

project = "pitsearch"
project_copyright = "the pitsearch developers, BSD 3-Clause"
release = pitsearch.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinx_design"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # as GitHub has them

# Docstrings are plain sentences, with code in single backticks.
default_role = "code"
autodoc_default_options = {"members": True, "undoc-members": True}
autodoc_member_order = "bysource"
autodoc_type_aliases = {"Grey": "NDArray"}
add_module_names = False
toc_object_entries_show_parents = "hide"
python_use_unqualified_type_names = True
maximum_signature_line_length = 60

# Types of other projects have no page here, nor have those of ours that are no public name.
nitpicky = True
nitpick_ignore_regex = [("py:.*", rf"NDArray|Path|(collections|numpy|optuna|pandas|pathlib|{'|'.join(PACKAGES)})\..*")]

html_theme = "pydata_sphinx_theme"
html_title = "pitsearch"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_use_index = False
html_show_search_summary = False  # a browser reads no second file from a disk
# Pages without others beside them have no list of those.
html_sidebars: dict[str, list[str]] = {"tutorial": [], "questions": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-light",
    "pygments_dark_style": "github-dark-high-contrast",
    "footer_start": ["copyright"],
    "footer_end": [],
}

# Pages of the site that are files outside this folder: on GitHub a page here says where the file is.
ELSEWHERE = {
    "benchmarks": "benchmarks/README.md",
    "changes": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "examples": "examples/README.md",
}
PAGES = {"README.md": "index", **{file: page for page, file in ELSEWHERE.items()}}
LINK = re.compile(r"(?<=\]\()[^)\s:#]+(?=[)#])")
FIELD_COMMENT = re.compile(r"^    # (?=.*\n(?:    # .*\n)*    \w+: )", re.MULTILINE)
# What stands in a signature for a value that has no text of its own.
UNNAMED = re.compile(r"<(?:(?:function|class) )?'?(\w*)[^>]*>+")
HELP_WIDTH = 70  # as wide as a page has room for, in characters


class NDArray(Generic[TypeVar("Number")]):  # type: ignore[misc]  # a variable of its own, which nothing else names
    """What stands in types for `numpy.typing.NDArray`, which is written as four nested types."""

    __module__ = "numpy.typing"


numpy.typing.NDArray = NDArray


def read_source(app: Sphinx, page: str, source: list[str]) -> None:
    """Give a page its text, with links to pages of the site: that of a file elsewhere, or the help of all commands."""
    file = ROOT / ELSEWHERE[page] if page in ELSEWHERE else DOCS / f"{page}.md"
    text = file.read_text(encoding="utf-8") if page in ELSEWHERE else source[0]
    source[0] = LINK.sub(lambda link: on_site(link[0], file), text)
    if page == "reference/command-line":
        source[0] += "\n".join(help_of(typer.main.get_command(commands), None))


def on_site(target: str, file: Path) -> str:
    """Give the target of a link in a file as one from the top of this folder, where it would not be one of the site."""
    linked = (file.parent / target).resolve()
    page = PAGES.get(os.path.relpath(linked, ROOT))
    if page:
        return f"/{page}.md"
    return target if file.is_relative_to(DOCS) else f"/{os.path.relpath(linked, DOCS)}"


def help_of(command: Any, above: Any) -> Iterator[str]:
    """Give the help of a command, or of every command below one in the order of its help, as Markdown."""
    context = command.context_class(command, info_name=command.name, parent=above, terminal_width=HELP_WIDTH)
    subcommands = getattr(command, "commands", {})
    if not subcommands:
        yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
    for subcommand in subcommands.values():
        yield from help_of(subcommand, context)


def read_field_comments() -> None:
    """Have autodoc read the comment above a field as its documentation, which it looks for in comments that begin with `#:`."""
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        source = FIELD_COMMENT.sub("    #: ", path.read_text(encoding="utf-8"))
        ModuleAnalyzer.cache["module", module] = ModuleAnalyzer.for_string(source, module, str(path))


def shorten_signature(
    app: Sphinx, kind: str, name: str, value: object, options: object, signature: str | None, gives: str | None
) -> tuple[str | None, str | None]:
    """Leave out how a class is made that no user makes; its fields are below it. Name what is given as a default."""
    if kind == "class" and dataclasses.is_dataclass(value) and not name.startswith("pitsearch."):
        return "", None
    return signature and UNNAMED.sub(lambda value: value[1].replace("factory", "") or "...", signature), gives


def setup(app: Sphinx) -> None:
    """Have pages and docstrings read as above."""
    app.add_lexer("csv", TextLexer)
    app.connect("source-read", read_source)
    app.connect("autodoc-process-signature", shorten_signature)
    read_field_comments()
