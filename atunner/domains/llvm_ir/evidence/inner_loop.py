"""The inner loop of a function in assembly, and what llvm-mca expects of it."""

import re
from collections.abc import Iterator, Mapping

from atunner.core.value import Value

ROUNDS = 100
_LABEL = re.compile(r"^(\.?[\w.$]+):")
_TARGET = re.compile(r"(\.L\w+)\s*(?:$|#|//)")
_LOC = re.compile(r"^\s*\.loc\s+\d+\s+(\d+)")
_FIGURE = re.compile(
    r"^(Iterations|Instructions|Total Cycles|Total uOps|IPC|Block RThroughput):\s+([\d.]+)", re.MULTILINE
)
_PRESSURE = re.compile(r"(Resource Pressure|(?:Data|Register|Memory) Dependencies):?\s+\[ ([\d.]+)% \]")
_PORT = re.compile(r"^\s+- (\S+)\s+\[ ([\d.]+)% \]", re.MULTILINE)


class Loop(Value):
    """An innermost loop. code: its instructions in order. lines: source lines in it. jumps: branches before its end."""

    label: str
    code: tuple[str, ...]
    lines: tuple[int, ...] = ()
    jumps: int = 0


class Forecast(Value):
    """llvm-mca on one round of a loop. cycles: per round. throughput: cycles that its ports need at least.

    dependency, pressure: percent of cycles in which data or ports held it back. ports: the busiest ones.
    """

    loop: Loop
    instructions: int
    cycles: float
    ipc: float
    throughput: float
    dependency: float = 0.0
    pressure: float = 0.0
    ports: tuple[str, ...] = ()

    @property
    def limit(self) -> str:
        """What holds the loop back by the forecast: latency (a chain of results), ports, or nothing found."""
        if self.cycles > 1.5 * self.throughput and self.dependency >= self.pressure:
            return "latency: each round waits for the results of the one before"
        if self.pressure > self.dependency:
            return f"ports: {', '.join(self.ports) or 'execution units'} are busy"
        return "throughput: close to what the ports allow"


def inner_loop(assembly: str, function: str, shares: Mapping[int, float]) -> Loop | None:
    """The innermost loop with the hottest lines, else the longest; None for a function without loops.

    shares: line -> part of the time, empty when nothing is known.
    """
    loops = list(_innermost(_body(assembly, function)))
    return max(loops, key=lambda one: (sum(shares.get(n, 0.0) for n in one.lines), len(one.code)), default=None)


def source(loop: Loop) -> str:
    """The loop as llvm-mca takes it."""
    code = "\n".join(loop.code)
    return f"# LLVM-MCA-BEGIN loop\n{loop.label}:\n{code}\n# LLVM-MCA-END\n"


def forecast(loop: Loop, said: str) -> Forecast | None:
    """Read what `llvm-mca -iterations=100 -bottleneck-analysis` printed; None when it gave no figures."""
    figures = {name: float(value) for name, value in _FIGURE.findall(said)}
    if not figures.get("Total Cycles"):
        return None
    held = {name: float(value) for name, value in _PRESSURE.findall(said)}
    ports = [name for name, share in _PORT.findall(said) if float(share) > 1.0 and "Dependencies" not in name]
    return Forecast(
        loop=loop,
        instructions=len(loop.code),
        cycles=figures["Total Cycles"] / figures.get("Iterations", ROUNDS),
        ipc=figures.get("IPC", 0.0),
        throughput=figures.get("Block RThroughput", 0.0),
        dependency=held.get("Data Dependencies", 0.0),
        pressure=held.get("Resource Pressure", 0.0),
        ports=tuple(ports[:4]),
    )


def _body(assembly: str, function: str) -> list[str]:
    lines = assembly.splitlines()
    names = (f"{function}:", f'"{function}":')
    start = next((n for n, line in enumerate(lines) if line.startswith(names)), None)
    if start is None:
        return []
    end = next((n for n in range(start, len(lines)) if lines[n].startswith(".Lfunc_end")), len(lines))
    return lines[start + 1 : end]


def _innermost(body: list[str]) -> Iterator[Loop]:
    places = {found[1]: n for n, line in enumerate(body) if (found := _LABEL.match(line))}
    spans = [(places[t], n, t) for n, line in enumerate(body) if (t := _jump(line)) in places and places[t] < n]
    widest = {start: max(end for s, end, _ in spans if s == start) for start, _, _ in spans}
    for start, end in widest.items():
        if any(start < other <= widest[other] <= end for other in widest):
            continue
        part = body[start : end + 1]
        code = tuple(line.split("#")[0].strip() for line in part if _instruction(line))
        numbers = dict.fromkeys(int(found[1]) for line in part if (found := _LOC.match(line)))
        jumps = sum(bool(_jump(line)) for line in part) - 1
        yield Loop(
            label=next(label for s, _, label in spans if s == start),
            code=code,
            lines=tuple(n for n in numbers if n),
            jumps=jumps,
        )


def _jump(line: str) -> str:
    found = _TARGET.search(line) if _instruction(line) and "(" not in line else None
    return found[1] if found else ""


def _instruction(line: str) -> bool:
    bare = line.strip()
    return bool(bare) and line[0] in " \t" and not bare.startswith((".", "#", "//", ";"))
