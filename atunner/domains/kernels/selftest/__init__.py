"""The judge's test of itself: candidates that must not pass, and candidates that must."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import Field
from ruamel.yaml import YAML

from atunner.core.candidate import Candidate
from atunner.core.device import Device
from atunner.core.judge import judge
from atunner.core.program import PROGRAM_FILE, Launch, Program, Workspace
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.domains.kernels.backends.c import CBackend, Options
from atunner.domains.kernels.backends.cuda import CudaBackend
from atunner.domains.kernels.oracle import Oracle
from atunner.domains.kernels.selftest.problems import OPERATORS
from atunner.domains.kernels.stages import Stages, Terms
from atunner.domains.kernels.timing import TimingPlan

ARGUMENTS = {
    "row_sum": (("x", "w", "y"), "const float *x, const float *w, float *y"),
    "swish_in_place": (("x", "w"), "float *x, const float *w"),
}
SCALARS = ("int32:rows", "int32:columns")
QUICK = TimingPlan(most_s=0.15, least_s=0.005, relative_error=0.02, timeout_s=2.0)


CORPORA = {"c": ("exploits", "honest"), "cuda": ("exploits_cuda", "honest_cuda")}
"""The corpora of each language; CUDA is checked on the CPU."""
NO_GPU = Device(name="a GPU", vendor="NVIDIA", kind="gpu", arch="sm_80")


class Entry(Value):
    """One candidate of a corpus. status, says: what the judge must answer, and words of the check meant for it."""

    language: str = "c"
    name: str
    category: str
    status: Status = Status.OK
    says: str = ""
    problem: str = "row_sum"
    shape: tuple[int, int] = (37, 53)
    head: str = ""
    body: str = ""
    source: str = ""
    launches: tuple[Launch, ...] = ()
    workspaces: tuple[Workspace, ...] = ()
    flags: tuple[str, ...] = ()
    deterministic: bool = True
    gate: bool = True
    threads: int = Field(default=1, ge=1)

    def said_by(self, feedback: str) -> bool:
        """Whether one of the phrases in `says` (parted by |) is in the feedback."""
        return any(phrase in feedback for phrase in self.says.split("|"))

    @property
    def text(self) -> str:
        """The source file."""
        _, parameters = ARGUMENTS[self.problem]
        kind = 'extern "C" __global__ void' if self.language == "cuda" else "void"
        return self.source or (
            f"{self.head}\n{kind} {self.problem}({parameters}, int rows, int columns) {{\n{self.body}\n}}\n"
        )

    @property
    def candidate(self) -> Candidate:
        """Source and program."""
        plain = Launch(kernel=self.problem, args=(*ARGUMENTS[self.problem][0], *SCALARS))
        if self.language == "cuda":
            plain = plain.model_copy(update={"grid": ("cdiv(rows, 64)",), "block": ("64",)})
        file = "kernel.cu" if self.language == "cuda" else "kernel.c"
        program = Program(
            language=self.language,
            source=file,
            launches=self.launches or (plain,),
            workspaces=self.workspaces,
            flags=self.flags,
            deterministic=self.deterministic,
        )
        return Candidate(files={file: self.text, PROGRAM_FILE: program.model_dump_json()}, note=self.name)


class Row(Value):
    """What became of one entry. good: as it should be."""

    corpus: str
    language: str
    name: str
    category: str
    good: bool
    expected: str
    status: Status
    feedback: str


def corpus(name: str) -> tuple[Entry, ...]:
    """The entries of one of the CORPORA."""
    text = (files("atunner.domains.kernels.selftest") / f"{name}.yaml").read_text(encoding="utf-8")
    kind = {"language": next(language for language, names in CORPORA.items() if name in names)}
    if name == "honest_cuda":
        kind |= {"status": Status.NOT_MEASURED, "says": "is not on this machine"}
    return tuple(Entry.model_validate(kind | one) for one in YAML(typ="safe").load(text))


def selftest(cache: Path, corpora: Sequence[str] = CORPORA["c"], threads: int = 2) -> Iterator[Row]:
    """Judge every entry and say whether the answer is the right one, one row at a time.

    threads: entries that need more cores than this are left out.

    Raises:
        ToolError: no C compiler.
    """
    oracles = {name: Oracle(operator) for name, operator in OPERATORS.items()}
    for name in corpora:
        for entry in corpus(name):
            if entry.threads <= threads:
                trial = judged(entry, oracles[entry.problem], cache)
                yield _row(name, entry, trial)


def judged(entry: Entry, oracle: Oracle, cache: Path) -> Trial:
    """The trial of one entry: the same judge as for any other candidate."""
    problem = oracle.operator.problem(entry.shape, {}, "float32")
    terms, task = Terms(oracle, problem, timing=QUICK), Task(name="judge selftest")
    if entry.language == "cuda":
        other = oracle.operator.problem((2, 2), {}, "float32")  # machine code is made for that alone: for nothing here
        return judge(Stages(CudaBackend(cache, NO_GPU, other), terms), task, entry.candidate)
    backend = CBackend(cache, Options(gate=entry.gate, threads=entry.threads, timeout_s=2.0))
    return judge(Stages(backend, terms), task, entry.candidate)


def _row(name: str, entry: Entry, trial: Trial) -> Row:
    good = trial.status is entry.status and entry.said_by(trial.feedback)
    expected = f"{entry.status}: {entry.says}" if entry.says else str(entry.status)
    return Row(
        corpus=name.partition("_")[0],
        language=entry.language,
        name=entry.name,
        category=entry.category,
        good=good,
        expected=expected,
        status=trial.status,
        feedback=trial.feedback,
    )
