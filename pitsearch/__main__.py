"""The `pitsearch` command, and `python -m pitsearch`. Batch systems run `python -P -m pitsearch`.

Without -P, Python searches the current folder first, where a folder named pitsearch would stand for this package.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line. Importing this module has imported the package, and with it the finder of our packages."""
    from search.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
