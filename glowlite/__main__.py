"""`python -m glowlite`: the command line without the installed script."""

from glowlite.cli import main

main()
