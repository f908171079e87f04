"""`python -m search` is `pitsearch`."""

from search.cli import main

main()
