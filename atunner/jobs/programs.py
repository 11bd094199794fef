"""A C program that a client hands in, as `atunner tune ir` takes it; every field is bounded."""

import re
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from atunner.core.task import Objective, Task
from atunner.domains.llvm_ir.program import HEADERS, Input, Level, Program
from atunner.jobs import forms
from atunner.jobs.driven import Driven

MAX_TEXT = 128 * 1024
ROUNDS, PATIENCE = 6, 4
"""Rounds that a budget is spread over, and how many of them may bring nothing."""

MAIN = re.compile(r"\bmain\b")
SILENT = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*" """.strip(), re.DOTALL)
"""Comments and strings of C: what they speak of is not there."""

FileName = Annotated[str, StringConstraints(pattern=forms.C_FILE)]
FileText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=forms.TEXT)]
Argument = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=forms.LINE)]
Flag = Annotated[str, StringConstraints(pattern=forms.FLAG)]
Arguments = Annotated[tuple[Argument, ...], Field(max_length=16)]


class IrWork(Driven):
    """A C program that prints its whole result when run with `dump`.

    files: the program (.c) and its headers, by name. args: of the timed run; inputs: arguments held out for checking.
    level: how near results have to be. cflags: -D and -std only. kernel: the function to change, "" for the hottest.
    """

    kind: Literal["ir"]
    files: Annotated[dict[FileName, FileText], Field(min_length=1, max_length=8)]
    level: Literal["exact", "tolerance", "fast"] = "exact"
    args: Arguments = ()
    inputs: Annotated[tuple[Arguments, ...], Field(max_length=8)] = ()
    cflags: Annotated[tuple[Flag, ...], Field(max_length=16)] = ()
    kernel: Annotated[str, StringConstraints(pattern=forms.FUNCTION)] = ""

    def options(self, trials: int | None) -> dict[str, JsonValue]:
        """The budget in rounds, so that what one finds can guide the next."""
        rounds: dict[str, JsonValue] = {"rounds": ROUNDS, "patience": PATIENCE}
        return rounds | {"slice": -(-trials // ROUNDS)} if trials else rounds

    @model_validator(mode="after")
    def _one_program(self) -> "IrWork":
        sources = [name for name in self.files if not name.endswith(HEADERS)]
        if len(sources) != 1:
            raise ValueError(f"one C file (.c) and its headers are expected, got {len(sources)} C files")
        if not any(MAIN.search(SILENT.sub(" ", text)) for text in self.files.values()):
            raise ValueError(f"a program with a main function is expected, and {sources[0]} has none: it must run")
        return self

    def task(self) -> Task:
        """The task as the domain takes it."""
        main = next(name for name in self.files if not name.endswith(HEADERS))
        program = Program(
            name=main.removesuffix(".c"),
            files={main: self.files[main], **{n: t for n, t in self.files.items() if n != main}},
            cflags=self.cflags,
            input=Input(args=self.args),
            inputs=tuple(Input(args=args) for args in self.inputs),
            kernel=self.kernel,
            level=Level(self.level),
        )
        goal = Objective(metric="processor time", unit="ms")
        return Task(domain="llvm_ir", name=program.name, spec=program.model_dump(mode="json"), objective=goal)
