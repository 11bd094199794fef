"""NVIDIA's compute-sanitizer: bad accesses, races, uninitialised reads and misused barriers of kernels as they run."""

import re
import shutil
from collections.abc import Sequence

from atunner.core.errors import ToolError
from atunner.core.value import Value
from atunner.tools.process import run

TOOLS = ("memcheck", "racecheck", "initcheck", "synccheck")
MARK = "========="
_SUMMARY = re.compile(r"(?:ERROR|RACECHECK) SUMMARY: (\d+) (?:errors?|hazards?)")
_ASIDE = ("COMPUTE-SANITIZER", "ERROR SUMMARY", "RACECHECK SUMMARY", "LEAK SUMMARY", "Error: process", "Target appl")


class Finding(Value):
    """One complaint. tool: which of TOOLS; text: what is wrong; where: kernel and place, thread and block, address."""

    tool: str
    text: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.tool}: {self.text}" + (f" ({'; '.join(self.where)})" if self.where else "")


def available() -> bool:
    """Whether compute-sanitizer is on PATH."""
    return shutil.which("compute-sanitizer") is not None


def check(tool: str, argv: Sequence[str], timeout_s: float = 300.0) -> tuple[Finding, ...]:
    """Run the program `argv` under one tool and return its complaints.

    Raises:
        ToolError: compute-sanitizer is missing, hangs, or ended without a verdict.
    """
    done = run("compute-sanitizer", "--tool", tool, *argv, timeout_s=timeout_s)
    return findings(tool, done.output)


def findings(tool: str, output: str) -> tuple[Finding, ...]:
    """The complaints in what one tool printed.

    Raises:
        ToolError: there is no summary, so nothing is known.
    """
    summary = _SUMMARY.search(output)
    if summary is None:
        told = [line.removeprefix(MARK).strip() for line in output.splitlines() if line.strip(" =")]
        raise ToolError(f"compute-sanitizer ({tool}) gave no verdict: {told[-1] if told else 'it printed nothing'}.")
    found = _found(tool, output)
    count = int(summary.group(1))
    if count and not found:
        return (Finding(tool=tool, text=f"{count} errors, with no details"),)
    return found if count else ()


def _found(tool: str, output: str) -> tuple[Finding, ...]:
    """A complaint starts at a line that is not indented; the indented ones below it say where."""
    found: list[Finding] = []
    current: list[str] = []
    for line in [*output.splitlines(), MARK]:
        if not line.startswith(MARK):
            continue
        rest = line.removeprefix(MARK)
        if rest.startswith("     ") and current:
            current.append(rest.strip())
            continue
        if current:
            found.append(Finding(tool=tool, text=current[0], where=tuple(current[1:4])))
        text = rest.strip()
        current = [text] if text and not text.startswith(_ASIDE) else []
    return tuple(found)
