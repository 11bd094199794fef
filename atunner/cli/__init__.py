"""The `atunner` command: it translates, nothing else."""

import signal
import sys


def main() -> None:
    """Entry point of the console script."""
    from atunner.cli.app import run

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))
