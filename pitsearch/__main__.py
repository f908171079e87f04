"""The `pitsearch` command, and `python -m pitsearch`. Batch systems run `python -P -m pitsearch`.

Without -P, Python searches the current folder first, where a folder named pitsearch would stand for this package.
"""

from __future__ import annotations

from pitsearch.ending import exit_on_signals, ignore_signals_at_last, interrupt_on_signals, keep_exit_code


def main() -> None:
    """Run the command line. Importing this module has imported the package, and with it the finder of our packages."""
    ignore_signals_at_last()  # the first to be registered comes last
    exit_on_signals()  # as since the package was imported: nothing has begun that is to be ended well
    from search.cli.app import main as run

    try:
        interrupt_on_signals()
        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    finally:
        exit_on_signals()  # while Python ends
        keep_exit_code()


if __name__ == "__main__":
    main()
