"""The program to be tuned, whole: source, headers, how it is compiled and how it is run."""

import re
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from atunner.core.errors import UnknownName, UserError
from atunner.core.task import Task
from atunner.core.value import Value

MOST_BYTES = 2_000_000
HEADERS = (".h", ".inc", ".def")
NEVER = re.compile(r"-(o|c|S|E|fplugin|Xclang|load|wrapper|B|specs|Wl,|include-pch)|@|.*\s")


class Level(StrEnum):
    """How near a result has to be to that of the program compiled with -O3.

    exact: every bit. tolerance: each number within 1e-6 of the largest one. fast: within 1e-3 of the largest one.
    """

    EXACT = "exact"
    TOLERANCE = "tolerance"
    FAST = "fast"

    @property
    def tolerance(self) -> float:
        """The largest error allowed, over the largest number of the reference; 0 demands equal bits."""
        return {"exact": 0.0, "tolerance": 1e-6, "fast": 1e-3}[self.value]


class Input(Value):
    """One way to run a program: arguments and what is typed into it."""

    args: tuple[str, ...] = ()
    stdin: str = ""


class Change(Value):
    """Lines of the source that read otherwise in a held-out variant of the program, each old line with its new one."""

    name: str
    lines: tuple[tuple[str, str], ...]

    def applied(self, source: str) -> str | None:
        """The varied source; None when one of the lines is not in it, or more than once."""
        for old, new in self.lines:
            if source.split("\n").count(old) != 1:
                return None
            source = "\n".join(new if line == old else line for line in source.split("\n"))
        return source


class HotLine(Value):
    """A line of the source and its part of the whole time, 0 to 1."""

    line: int
    share: float


class Program(Value):
    """What the spec of a task holds.

    files: names and texts, the source first, then the headers beside it. cflags, ldflags: needed to compile it at all.
    input: how it is run. dump: the argument that makes it print its whole result. inputs, changes: held out from
    timing, for checking only. kernel: the function to look at, "" for the hottest. clang: "" for the newest. hot: lines
    with their share of the time. ready: it passed the preflight, which filled in the rest.
    """

    name: str
    files: dict[str, str] = Field(min_length=1)
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ("-lm",)
    input: Input = Input()
    dump: str = "dump"
    inputs: tuple[Input, ...] = ()
    changes: tuple[Change, ...] = ()
    kernel: str = ""
    level: Level = Level.EXACT
    clang: str = ""
    hot: tuple[HotLine, ...] = ()
    ready: bool = False

    @property
    def main(self) -> str:
        """The name of the source."""
        return next(iter(self.files))

    @property
    def source(self) -> str:
        """The text of the source."""
        return self.files[self.main]

    def with_source(self, source: str) -> dict[str, str]:
        """The files with another source."""
        return {**self.files, self.main: source}


def program_of(task: Task) -> Program:
    """The program that a task is about. Raises UserError when its spec is not one."""
    try:
        return Program.model_validate(task.spec)
    except ValueError as error:
        raise UserError(f"The task {task.name} does not describe a program: {str(error).splitlines()[0]}.") from error


def read_program(
    file: Path,
    level: str = "exact",
    cflags: tuple[str, ...] = (),
    ldflags: tuple[str, ...] = (),
    inputs: tuple[Input, ...] = (),
) -> Program:
    """The program in a C file, with the headers that lie beside it. inputs: the one to time, then those held out.

    Raises:
        UserError: it cannot be read, is no C, or a flag is one that no build may have.
    """
    if file.suffix != ".c":
        raise UserError(f"A C file (.c) is expected, got {file}.")
    if level not in set(Level):
        raise UnknownName("level", level, [str(known) for known in Level])
    for flag in (*cflags, *ldflags):
        if not flag.startswith("-") or NEVER.match(flag):
            raise UserError(f"The flag {flag!r} is not for --cflags or --ldflags: these take -D, -I, -std, -f, -m, -l.")
    source = _text(file)
    beside = sorted(p for p in file.resolve().parent.iterdir() if p.suffix in HEADERS and p.is_file())
    first, *others = inputs or (Input(),)
    return Program(
        name=file.stem,
        files={file.name: source, **{p.name: _text(p) for p in beside}},
        cflags=cflags,
        ldflags=("-lm", *ldflags),
        input=first,
        inputs=tuple(others),
        level=Level(level),
    )


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UserError(f"{file} has more than {MOST_BYTES} bytes; give a smaller file.")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not text in UTF-8.") from error
