"""`python -m atunner` is the command `atunner`."""

from atunner.cli import main

main()
