"""The `atunner` command: it translates, nothing else."""

import signal
import sys


def main() -> None:
    """Entry point of the console script. SIGTERM ends a command as Ctrl-C does, and neither leaves files behind."""
    from atunner.tools import scratch

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scratch.begin()
    from atunner.cli.app import run

    sys.exit(run(sys.argv[1:]))
