"""The commands about plugins, and their loading for the other commands. `search/cli/app.py` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from search.cli.console import say, typed
from search.cli.once_command import OnceCommand

plugin_app = typer.Typer(help="Check a plugin, or list the installed ones.", no_args_is_help=True)


def use_plugins(names: Sequence[str]) -> None:
    """Load the plugins that a command names; nothing is imported where it names none."""
    if names:
        from spaces.plugin_files import use_plugins as use

        use(names)


@plugin_app.command("check", cls=OnceCommand, epilog="Example: pitsearch plugin check mynets.py")
def check(
    plugin: Annotated[str, typer.Argument(metavar="FILE|NAME", help="A plugin file, or an installed plugin.")],
) -> None:
    """Check every part of a plugin.

    Runs the checks that built-in parts pass.
    """
    from models.contracts import check_plugin, graph_notes
    from spaces.plugin_files import use_plugin
    from spaces.plugins import registered_plugin

    ref = use_plugin(plugin)
    count = 0
    for line in check_plugin(ref):
        say(line)
        count += 1
    for note in graph_notes(network.name for network in registered_plugin(ref).networks):
        say(f"note: {note}")
    say(f"{ref}: {count} checks passed; next: {typed('pitsearch', 'launch', 'DATA', '--plugin', plugin, '--fix', 'AXIS=NAME')}")


@plugin_app.command("list", epilog="Example: pitsearch plugin list")
def list_installed() -> None:
    """List the plugins of installed packages."""
    from spaces.plugin_files import GROUP, installed_plugins

    for entry in installed_plugins():
        say(f"{entry.name}  {entry.value}")
    if not installed_plugins():
        say(f"no installed package has an entry point of the group {GROUP}")
