"""The `atunner` command: it translates, nothing else."""

import sys


def main() -> None:
    """Entry point of the console script."""
    from atunner.cli.app import run

    sys.exit(run(sys.argv[1:]))
