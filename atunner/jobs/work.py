"""The kinds of work that a client may hand in, each as its command takes it; every field is bounded."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from atunner.core.task import Task
from atunner.jobs import forms
from atunner.jobs.driven import Driven
from atunner.jobs.programs import IrWork
from atunner.jobs.reading import kernel_of

HOST = "host"
MAX_TEXT, WHOLE = 128 * 1024, 1_000_000
Word = Annotated[str, StringConstraints(pattern=forms.WORD)]
FileName = Annotated[str, StringConstraints(pattern=forms.FILE)]
FileText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=forms.TEXT)]
Extent = Annotated[int, Field(ge=1, le=1 << 24)]


class OperatorWork(Driven):
    """A kernel for one operator, as `atunner optimize`. target: a GPU's name, or host; shape: None for the default."""

    kind: Literal["operator"]
    operator: Word
    shape: Annotated[tuple[Extent, ...], Field(min_length=1, max_length=8)] | None = None
    dtype: Word = "float32"
    settings: Annotated[dict[Word, Word], Field(max_length=16)] = Field(default_factory=dict)
    target: Word = HOST
    compiler: Literal["", "nvrtc", "nvcc", "gcc", "clang"] = ""

    def task(self) -> Task:
        """The task as the domain takes it."""
        spec: dict[str, JsonValue] = {
            "operator": self.operator,
            "shape": None if self.shape is None else list(self.shape),
            "dtype": self.dtype,
            "settings": dict(self.settings),
        }
        if self.compiler:
            spec["compiler"] = self.compiler
        return Task(name=self.operator, spec=spec, target=self.target)


class KernelWork(Driven):
    """A kernel of the user's own, as `atunner tune kernel`: its source, and what describes it, as texts.

    files: T1 (.json), YAML, the source, a Python reference, by name. main: which of them to read first; the only one
    when left out. problem_size: for a source alone. target: a GPU's name, or host.
    """

    kind: Literal["kernel"]
    files: Annotated[dict[FileName, FileText], Field(min_length=1, max_length=8)]
    main: FileName | Literal[""] = ""
    executor: ClassVar[str] = "threads"
    problem_size: Annotated[tuple[Extent, ...], Field(max_length=3)] = ()
    target: Word = HOST
    compiler: Literal["", "nvrtc", "nvcc", "gcc", "clang"] = ""

    def options(self, trials: int | None) -> dict[str, JsonValue]:
        """One search for the whole budget."""
        return {"slice": trials or WHOLE}

    @model_validator(mode="after")
    def _whole(self) -> "KernelWork":
        if self.main and self.main not in self.files:
            raise ValueError(f"main must be one of the files ({', '.join(sorted(self.files))}), got {self.main!r}")
        if not self.main and len(self.files) > 1:
            raise ValueError(f"say with main which file to read first: {', '.join(sorted(self.files))}")
        return self

    def task(self) -> Task:
        """The task as the domain takes it. Raises UserError: the description is wrong."""
        kernel = kernel_of(self.files, self.main or next(iter(self.files)), self.problem_size)
        spec: dict[str, JsonValue] = {"kernel": kernel}
        if self.compiler:
            spec["compiler"] = self.compiler
        return Task(domain="user_kernels", name=str(kernel["name"]), spec=spec, target=self.target)


class ToyWork(Driven):
    """A problem with a known answer, solved in seconds without a compiler: to try a service out."""

    kind: Literal["toy"]
    floor: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    def task(self) -> Task:
        """The task as the toy domain takes it."""
        return Task(domain="toy", name="toy", spec={"floor": self.floor})


Work = Annotated[OperatorWork | KernelWork | IrWork | ToyWork, Field(discriminator="kind")]

KINDS = ("operator", "kernel", "ir", "toy")
"""The kinds, for people to read."""

FOREIGN = frozenset({"user_kernels", "llvm_ir"})
"""Domains whose tasks bring code of the client's own."""
