"""The `atunner` command: it translates, nothing else."""

import signal
import sys

STOPPED = 130


def main() -> None:
    """Entry point of the console script. SIGTERM ends a command as Ctrl-C does, and neither leaves files behind."""
    from atunner.tools import scratch

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        scratch.begin()
        from atunner.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded, before anything had begun
        code = STOPPED
        sys.stderr.write("stopped\n")
    sys.exit(code)
