"""Verdicts and figures of binaries that were seen before: equal binaries are one, whatever they came from.

The fastest of them leads, and is what the next is measured beside.
"""

import time
from pathlib import Path

from pydantic import TypeAdapter

from atunner.core.measurement import Measurement
from atunner.core.trial import Check
from atunner.core.value import Value

CHECKS = TypeAdapter(list[Check])
FRESH_S = 900.0
"""How long a figure counts: later the machine may be another."""
LEADER = "leader.json"


class Leader(Value):
    """The fastest binary that was seen lately, and its figure."""

    program: Path
    figure: Measurement


class Seen:
    """A folder of verdicts and measurements by the binary's digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, digest: str) -> Measurement | None:
        """The figure of the same binary, if it was timed lately."""
        path = self._folder / f"{digest}.json"
        try:
            return Measurement.model_validate_json(_lately(path))
        except (OSError, ValueError):
            return None

    def passed(self, digest: str) -> tuple[Check, ...]:
        """The checks that the same binary passed; none when it was not seen."""
        try:
            return tuple(CHECKS.validate_json((self._folder / f"{digest}.checks.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return ()

    def keep_passed(self, digest: str, checks: tuple[Check, ...]) -> None:
        """Keep what a binary passed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{digest}.checks.json").write_bytes(CHECKS.dump_json(list(checks)))

    def keep(self, digest: str, program: Path, figure: Measurement) -> None:
        """Keep a figure, and who leads."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{digest}.json").write_text(figure.model_dump_json(), encoding="utf-8")
        leader = self.leader()
        if leader is None or figure.value < leader.figure.value:
            found = Leader(program=program, figure=figure)
            (self._folder / LEADER).write_text(found.model_dump_json(), encoding="utf-8")

    def leader(self) -> Leader | None:
        """Who leads, if that was timed lately and is still there."""
        try:
            found = Leader.model_validate_json(_lately(self._folder / LEADER))
        except (OSError, ValueError):
            return None
        return found if found.program.exists() else None


def _lately(path: Path) -> str:
    """A file's text. Raises FileNotFoundError where what it says is too old."""
    if time.time() - path.stat().st_mtime > FRESH_S:
        raise FileNotFoundError(path)
    return path.read_text(encoding="utf-8")
