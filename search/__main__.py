"""`python -m search` is `pitsearch`."""

from search.cli.app import main

main()
