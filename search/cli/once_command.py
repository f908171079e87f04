"""Parse the words of a command so that nothing is said twice. Knows no command."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class OnceCommand(TyperCommand):
    """A command that refuses two values for one option, of which the parser itself would take the last without a word."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of a command."""
        for option in self.get_params(ctx):
            if getattr(option, "multiple", False) or getattr(option, "is_flag", False):
                continue
            names = [name for name in option.opts if name.startswith("--")]
            before = args[: args.index("--")] if "--" in args else args
            given = [word for word in before if word.partition("=")[0] in names]
            if len(given) > 1:
                ctx.fail(f"{names[0]} must be given once, but got {' and '.join(given)}; remove one.")
        return super().parse_args(ctx, args)
