"""Verdicts and figures of binaries that were seen before: equal binaries are one, whatever they came from."""

import time
from pathlib import Path

from pydantic import TypeAdapter

from atunner.core.measurement import Measurement
from atunner.core.trial import Check

CHECKS = TypeAdapter(list[Check])
FRESH_S = 900.0
"""How long a figure counts: later the machine may be another."""


class Seen:
    """A folder of verdicts and measurements by the binary's digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, digest: str) -> Measurement | None:
        """The figure of the same binary, if it was timed lately."""
        path = self._folder / f"{digest}.json"
        try:
            if time.time() - path.stat().st_mtime > FRESH_S:
                return None
            return Measurement.model_validate_json(path.read_text(encoding="utf-8"))
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

    def keep(self, digest: str, figure: Measurement) -> None:
        """Keep a figure."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{digest}.json").write_text(figure.model_dump_json(), encoding="utf-8")
