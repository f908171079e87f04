"""`python -m search` is `pitsearch`: job scripts that 0.1.0 wrote call it so."""

from search.cli.app import main

main()
