"""Optimisation remarks (`-fsave-optimization-record`): read, and kept where the time goes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from atunner.core.value import Value

PASSES = ("loop-vectorize", "slp-vectorizer", "licm", "inline", "regalloc", "loop-unroll", "gvn", "loop-interchange")
"""Passes whose remarks say what to change, most telling first."""
MOST = 40
_START = re.compile(r"^--- !(\w+)")
_FIELD = re.compile(r"^(\w+):\s+(.*)$")
_PLACE = re.compile(r"\{\s*File:\s*(.*?),\s*Line:\s*(\d+),\s*Column:\s*(\d+)\s*\}")
_ARGUMENT = re.compile(r"^  - (\w+):\s*(.*)$")


class Remark(Value):
    """One remark. kind: Missed, Passed or an Analysis. message: what the compiler says, in its words."""

    kind: str
    origin: str
    name: str
    function: str
    file: str = ""
    line: int = 0
    column: int = 0
    message: str = ""
    times: int = 1

    @property
    def said(self) -> str:
        """In one line: verdict, pass, place, message."""
        verdict = "passed" if self.kind == "Passed" else "missed"
        often = f" ({self.times} times)" if self.times > 1 else ""
        return f"{verdict}: {self.origin} at {self.place}: {self.message}{often}"

    @property
    def place(self) -> str:
        """FILE:LINE:COLUMN, or the function where there is none."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.function


def parse(text: str) -> tuple[Remark, ...]:
    """Read the YAML that clang wrote; only its regular form is known, so a part of another form is left out."""
    return tuple(_documents(text))


def telling(remarks: Iterable[Remark], function: str, shares: Mapping[tuple[str, int], float]) -> tuple[Remark, ...]:
    """The remarks of named passes on hot lines of `function`: what was missed first, then by heat, each said once.

    shares: (file, line) -> part of the time; with none known, every line of the function counts as hot.
    """
    counts: dict[tuple[str, str, str, str], Remark] = {}
    for remark in remarks:
        if remark.origin not in PASSES or remark.function != function:
            continue
        if shares and remark.line and (remark.file, remark.line) not in shares:
            continue
        key = (remark.kind, remark.origin, remark.place, remark.message)
        before = counts.get(key)
        counts[key] = before.model_copy(update={"times": before.times + 1}) if before else remark

    def rank(remark: Remark) -> tuple[bool, float, int, int]:
        heat = shares.get((remark.file, remark.line), 0.0)
        return remark.kind == "Passed", -heat, PASSES.index(remark.origin), remark.line

    return tuple(sorted(counts.values(), key=rank)[:MOST])


def _documents(text: str) -> Iterator[Remark]:
    kind, block = "", list[str]()
    for line in text.splitlines():
        start = _START.match(line)
        if start:
            kind, block = start[1], []
        elif line.startswith("...") and kind:
            yield _remark(kind, block)
            kind = ""
        elif kind:
            block.append(line)


def _remark(kind: str, block: list[str]) -> Remark:
    fields: dict[str, str] = {}
    words: list[str] = []
    for line in _joined(block):
        argument = _ARGUMENT.match(line)
        field = _FIELD.match(line)
        if argument:
            words.append(_unquoted(argument[2]))
        elif field:
            fields[field[1]] = field[2]
    place = _PLACE.match(fields.get("DebugLoc", ""))
    return Remark(
        kind=kind,
        origin=_unquoted(fields.get("Pass", "")),
        name=_unquoted(fields.get("Name", "")),
        function=_unquoted(fields.get("Function", "")),
        file=PurePath(_unquoted(place[1])).name if place else "",
        line=int(place[2]) if place else 0,
        column=int(place[3]) if place else 0,
        message="".join(words).strip(),
    )


def _joined(block: list[str]) -> Iterator[str]:
    """Lines with what YAML continued on the next lines (indented deeper than an argument) put back."""
    held = ""
    for line in block:
        if line.startswith("      ") and held:
            held = f"{held} {line.strip()}"
            continue
        if held:
            yield held
        held = line
    if held:
        yield held


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text
