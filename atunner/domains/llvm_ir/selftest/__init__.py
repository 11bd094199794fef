"""The gate's test of itself: planted edits that must not be accepted, of all five kinds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path

from pydantic import Field, JsonValue
from ruamel.yaml import YAML

from atunner.core.candidate import Candidate
from atunner.core.judge import judge
from atunner.core.status import Status
from atunner.core.task import Objective, Task
from atunner.core.trial import Trial
from atunner.core.value import Value
from atunner.domains.llvm_ir.build import O3, Compiler
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.evidence.ir_text import bodies
from atunner.domains.llvm_ir.program import Input, Program, read_program
from atunner.domains.llvm_ir.recipe import RECIPE_FILE, LoopHint, Recipe
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject

ROOM = files("atunner.domains.llvm_ir.selftest")
KERNELS = ("product", "relax", "tally", "smooth")
INPUTS = {"smooth": (Input(args=("120000",)),)}
LENGTH = 65536


class Hint(Value):
    """Where loop metadata goes. at: the text of the loop's line, "" where `line` is given."""

    at: str = ""
    line: int = 0
    function: str = ""
    properties: dict[str, int | bool]


class BadEdit(Value):
    """One planted edit, as bad_edits.yaml describes it. status: the ways in which it may be refused, parted by |."""

    name: str
    kernel: str
    kind: str
    category: str
    status: str
    says: str = ""
    flags: tuple[str, ...] = O3
    params: dict[str, JsonValue] = Field(default_factory=dict)
    passes: str = ""
    loops: tuple[Hint, ...] = ()
    function: str = ""
    swap: dict[str, str] = Field(default_factory=dict)
    rules: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    entry: str = ""
    append: str = ""
    cut: float = 1.0
    answer: bool = False

    def refused(self, trial: Trial) -> bool:
        """Whether the answer is one of those expected, in the words of the step meant for it."""
        said = not self.says or any(words in trial.feedback for words in self.says.split("|"))
        return trial.status is not Status.OK and str(trial.status) in self.status.split("|") and said


class Row(Value):
    """What became of one edit. accepted: the gate's failure. good: refused in the way expected."""

    name: str
    kernel: str
    kind: str
    category: str
    accepted: bool
    good: bool
    expected: str
    status: Status
    feedback: str
    seconds: float


def corpus() -> tuple[BadEdit, ...]:
    """Every planted edit."""
    text = (ROOM / "bad_edits.yaml").read_text(encoding="utf-8")
    return tuple(BadEdit.model_validate(one) for one in YAML(typ="safe").load(text))


def tried(domain: LlvmIr, clang: str = "", edits: tuple[BadEdit, ...] | None = None) -> Iterator[Row]:
    """Judge every edit with the same judge as any other candidate, one row at a time.

    Raises:
        ToolError: clang is missing.
    """
    kernels: dict[str, Planting] = {}
    for edit in corpus() if edits is None else edits:
        kernels.setdefault(edit.kernel, Planting(domain, edit.kernel, clang))
        trial = kernels[edit.kernel].judged(edit)
        yield Row(
            name=edit.name,
            kernel=edit.kernel,
            kind=edit.kind,
            category=edit.category,
            accepted=trial.status is Status.OK,
            good=edit.refused(trial),
            expected=f"{edit.status}{f': {edit.says}' if edit.says else ''}",
            status=trial.status,
            feedback=trial.feedback,
            seconds=trial.cost.seconds,
        )


@dataclass
class Planting:
    """One kernel into which edits are planted."""

    domain: LlvmIr
    kernel: str
    clang: str = ""

    @cached_property
    def program(self) -> Program:
        """The kernel as the user would give it."""
        with as_file(ROOM / "kernels") as folder:
            found = read_program(Path(folder) / f"{self.kernel}.c", inputs=INPUTS.get(self.kernel, ()))
        return found.model_copy(update={"clang": self.clang})

    @cached_property
    def task(self) -> Task:
        """The task, admitted: with held-out inputs and variants."""
        spec = self.program.model_dump(mode="json")
        return self.domain.admit(
            Task(domain="llvm_ir", name=self.kernel, spec=spec, objective=Objective(metric="time", unit="ms"))
        )

    @cached_property
    def ir(self) -> str:
        """The kernel's IR after -O3."""
        config = self.domain.config
        return _ir(Subject(self.program, config.cache, config.sandbox).compiler, self.program)

    def judged(self, edit: BadEdit) -> Trial:
        """The trial of the kernel with the edit in it, by the same judge as for any other candidate."""
        return judge(self.domain, self.task, self.candidate(edit))

    def candidate(self, edit: BadEdit) -> Candidate:
        """The candidate with the edit in it.

        Raises:
            ValueError: the edit does not fit its kernel, so that nothing would be planted.
        """
        recipe = Recipe(flags=edit.flags, passes=edit.passes, loops=tuple(self._hint(h) for h in edit.loops))
        in_ir = edit.kind == "ir-function"
        name, text = (
            (f"{self.kernel}.ll", self._edited_ir(edit)) if in_ir else (self.program.main, self._edited_c(edit))
        )
        files = {name: text, RECIPE_FILE: recipe.model_dump_json()}
        return Candidate(files=files, params=edit.params, family=edit.kind, origin="planted", note=edit.name)

    def _hint(self, hint: Hint) -> LoopHint:
        lines = [line.strip() for line in self.program.source.splitlines()]
        line = hint.line or lines.index(hint.at) + 1
        properties = tuple(hint.properties.items())
        return LoopHint(function=hint.function or self.kernel, line=line, properties=properties)

    def _edited_c(self, edit: BadEdit) -> str:
        text = self.program.source
        for old, new in edit.swap.items():
            _demand(text.count(f"{old}\n") == 1, edit, old)
            text = text.replace(f"{old}\n", f"{new}\n")
        if edit.function:
            body = re.compile(
                rf"^__attribute__\(\(noinline\)\) void {self.kernel}\(.*?^\}}\n", re.MULTILINE | re.DOTALL
            )
            _demand(body.search(text) is not None, edit, self.kernel)
            text = body.sub(lambda _: f"{self._filled(edit.function)}\n", text)
        return text

    def _filled(self, text: str) -> str:
        """With what `tally` prints and reads in the places for it."""
        state, words = 12345, list[int]()
        for _ in range(LENGTH):
            state = (state * 1664525 + 1013904223) % 2**32
            words.append(state >> 8)
        answer = _counted(words)
        texts = ", ".join(f'"{value:08x}\\n"' for value in answer)
        places = {"ANSWER": ", ".join(map(str, answer)), "TEXTS": texts, "FIRST": str(words[0]), "LAST": str(words[-1])}
        return re.sub("|".join(places), lambda found: places[found[0]], text)

    def _edited_ir(self, edit: BadEdit) -> str:
        text = self.ir
        name, body = next((name, lines) for name, lines in bodies(text) if name == self.kernel)
        own = "\n".join(body)
        new = self._answered(own) if edit.answer else own
        if edit.entry:
            head, _, rest = new.partition("\n")
            new = f"{head}\n{edit.entry}\n{rest}"
        changed = text if edit.whole else new
        for pattern, replacement in edit.rules:
            changed = re.sub(pattern, replacement, changed)
        text = changed if edit.whole else text.replace(own, changed)
        text = self._pointers(f"{text}\n{edit.append}\n" if edit.append else text)
        text = text[: int(len(text) * edit.cut)]
        _demand(text != self.ir, edit, name)
        return text

    def _answered(self, own: str) -> str:
        """The function's head with sixteen stores of what it should have computed."""
        numbers = (int(n) for n in re.findall(r"\d+", self._filled("ANSWER")))
        stores = "".join(
            f"  %at{n} = getelementptr i32, {{i32*}} %2, i64 {n}\n  store i32 {value}, {{i32*}} %at{n}\n"
            for n, value in enumerate(numbers)
        )
        return f"{own.splitlines()[0]}\n{stores}  ret void\n}}"

    def _pointers(self, text: str) -> str:
        """Pointer types in the words of this LLVM version."""
        opaque = re.search(r"\bptr\b", self.ir) is not None
        return re.sub(r"\{([^{}\n]*\*)\}", "ptr" if opaque else r"\1", text)


def _counted(words: list[int]) -> list[int]:
    """What `tally` computes."""
    bins = [0] * 16
    for word in words:
        mixed = word * 2654435761 % 2**32
        mixed ^= mixed >> 15
        bins[mixed & 15] = (bins[mixed & 15] + (mixed >> 24)) % 2**32
    return bins


def _ir(compiler: Compiler, program: Program) -> str:
    with open_folder() as folder:
        source = folder / program.main
        source.write_text(program.source, encoding="utf-8")
        return compiler.ir(source, folder / "program.ll", (*O3, *program.cflags)).read_text(encoding="utf-8")


def _demand(fits: bool, edit: BadEdit, what: str) -> None:
    if not fits:
        raise ValueError(f"The planted edit {edit.name} does not fit {edit.kernel}: {what!r}.")
