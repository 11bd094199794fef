"""Where a program spends its time: functions, lines and instructions, from what perf or llvm-cov printed."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import PurePath

from atunner.core.value import Value

LEAST = 0.005
"""A share below this is not worth a line."""

_REPORT = re.compile(r"^\s*(\d+\.\d+)%\s*\|\s*(?:\[[.\w]\]\s*)?(\S.*?)\s*\|\s*(\S+)\s*$")
_EVENT = re.compile(r"^#\s*Samples:\s*(\S+)\s+of event\s+'([^']+)'")
_LISTED = re.compile(r"^\s*(\d+\.\d+)\s*:\s*([0-9a-f]+):\s*(\S.*?)\s*(?://\s*\S+:\d+)?$")


class Share(Value):
    """A function's part of the whole, 0 to 1. object: the file that it is in."""

    name: str
    share: float
    object: str = ""


class Line(Value):
    """A source line's part of the whole, 0 to 1, with its text."""

    file: str
    line: int
    share: float
    text: str = ""


class Instruction(Value):
    """A machine instruction's part of its function's samples, 0 to 1. file: path of its source."""

    address: int
    share: float
    text: str
    file: str = ""
    line: int = 0


class Hot(Value):
    """Where the time goes. source: how it was found. function: the hottest one of the program itself.

    shares are of samples, or of executed lines where nothing could be sampled; `source` says which.
    """

    source: str = ""
    samples: int = 0
    functions: tuple[Share, ...] = ()
    function: str = ""
    lines: tuple[Line, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The part of the hottest function."""
        return next((f.share for f in self.functions if f.name == self.function), 0.0)


class Sampled(Value):
    """The header and the functions of `perf report`."""

    event: str
    samples: int
    functions: tuple[Share, ...]


def functions(report: str) -> Sampled:
    """Read `perf report --stdio -F overhead,sym,dso -t '|'`, in its order (hottest first)."""
    event, count = "", 0
    found = []
    for line in report.splitlines():
        header = _EVENT.match(line)
        row = _REPORT.match(line)
        if header:
            count, event = _samples(header[1]), header[2]
        elif row:
            found.append(Share(name=row[2], share=float(row[1]) / 100, object=row[3]))
    return Sampled(event=event, samples=count, functions=tuple(found))


def _samples(text: str) -> int:
    """A count that perf may have shortened to 1K."""
    scale = {"K": 1000, "M": 1_000_000}.get(text[-1], 1)
    return int(float(text.rstrip("KM")) * scale)


def hottest(found: tuple[Share, ...], program: str) -> str:
    """The hottest function in the program's own file, "" when all time is spent elsewhere."""
    own = [f for f in found if PurePath(f.object).name == program and not f.name.startswith("0x")]
    return own[0].name if own else ""


def instructions(listing: str) -> tuple[Instruction, ...]:
    """Read `perf annotate --stdio`: every instruction of the function with its share."""
    found = (_LISTED.match(line) for line in listing.splitlines())
    return tuple(Instruction(address=int(f[2], 16), share=float(f[1]) / 100, text=f[3]) for f in found if f)


def placed(found: tuple[Instruction, ...], places: list[str]) -> tuple[Instruction, ...]:
    """Instructions with their source lines, as `addr2line` printed them (FILE:LINE, one for each instruction).

    What the compiler gave no line (0 or ?) belongs to the line before it in the code.
    """
    file, last = "", 0
    result = []
    for one, place in zip(found, places, strict=True):
        path, _, rest = place.rpartition(":")
        number = rest.split(" ")[0]
        if number.isdigit() and int(number):
            file, last = path, int(number)
        result.append(one.model_copy(update={"file": file, "line": last}))
    return tuple(result)


def lines(found: tuple[Instruction, ...], weight: float, texts: Callable[[str], list[str]]) -> tuple[Line, ...]:
    """Shares by line, hottest first. weight: the function's own share of the whole; texts: path -> its lines."""
    sums: dict[tuple[str, int], float] = defaultdict(float)
    for one in found:
        sums[one.file, one.line] += one.share * weight
    order = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Line(file=PurePath(file).name, line=number, share=share, text=_text(texts(file), number))
        for (file, number), share in order
        if number and share >= LEAST
    )


def counted(lcov: str, source: list[str]) -> Hot:
    """Read `llvm-cov export -format=lcov`: shares of executed lines, since nothing could be sampled."""
    file, counts, starts = "", dict[int, int](), dict[str, int]()
    for line in lcov.splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF" and not file:
            file = PurePath(rest).name
        elif kind == "SF":
            break
        elif kind == "DA":
            number, _, count = rest.partition(",")
            if not _macro(int(number), source):
                counts[int(number)] = int(count.split(",")[0])
        elif kind == "FN":
            number, _, name = rest.partition(",")
            starts[name.rpartition(":")[2]] = int(number)
    total = sum(counts.values()) or 1
    shares = _by_function(counts, starts)
    found = tuple(Share(name=n, share=c / total, object=file) for n, c in shares.items() if c)
    return Hot(
        source="counts of executed lines (-fprofile-instr-generate); shares of executions, not of time",
        functions=found,
        function=found[0].name if found else "",
        lines=_ordered({k: v / total for k, v in counts.items()}, file, source),
    )


def _macro(number: int, source: list[str]) -> bool:
    """A macro's uses are counted at its definition as well."""
    return 0 < number <= len(source) and source[number - 1].lstrip().startswith("#")


def _by_function(counts: Mapping[int, int], starts: Mapping[str, int]) -> dict[str, int]:
    """Executed lines of each function, most first; a line belongs to the last function that starts before it."""
    order = sorted(starts.items(), key=lambda item: item[1])
    sums: dict[str, int] = defaultdict(int)
    for line, count in counts.items():
        before = [name for name, start in order if start <= line]
        if before:
            sums[before[-1]] += count
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def _ordered(shares: Mapping[int, float], file: str, source: list[str]) -> tuple[Line, ...]:
    order = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Line(file=file, line=n, share=s, text=_text(source, n)) for n, s in order if s >= LEAST)


def _text(source: list[str], number: int) -> str:
    return source[number - 1].strip() if 0 < number <= len(source) else ""
