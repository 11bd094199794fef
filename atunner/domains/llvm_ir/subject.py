"""Everything resolved for one task: compiler, sandbox, the reference and what it printed, builds by content."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from statistics import median

from atunner.core.candidate import Candidate
from atunner.core.errors import Crashed, TimedOut, UserError, Wrong
from atunner.core.value import Value, content_id
from atunner.domains.llvm_ir import hints
from atunner.domains.llvm_ir.build import BEFORE, LINES, O3, STRICT, Compiler, laid_out
from atunner.domains.llvm_ir.loops import loops_of
from atunner.domains.llvm_ir.making import IR_FILE, main_text, make, make_sanitized
from atunner.domains.llvm_ir.outputs import compare
from atunner.domains.llvm_ir.program import Input, Program
from atunner.domains.llvm_ir.recipe import RECIPE_FILE, Recipe, recipe_of
from atunner.domains.llvm_ir.running import Runner, open_folder
from atunner.domains.llvm_ir.shape import Shape, shape_of
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.tools.lock import awaited
from atunner.tools.sandbox import demand, strongest

APART = "-fno-inline"
"""Keeps functions apart in IR, so that one of them can be replaced and the others varied."""
BASELINE = "baseline"
LAYOUT = 4
"""Of what is kept in the cache: another number forgets what was kept before."""
PATIENCE = 10.0
"""A candidate may take this many times as long as the reference, and a second more."""
PROBES = 3
FIRST_LIMIT_S = 60.0
SHAPING = ("-O1", *BEFORE, "-g0", "-ffp-contract=off", "-w")


class Reference(Value):
    """What the -O3 build takes and prints. cpu_ms: one run as users run it; dump_ms: one that prints its result.

    change_ms: the same of each varied program.
    """

    cpu_ms: float
    dump_ms: float
    cases: int
    change_ms: tuple[float, ...] = ()


class Subject:
    """One program under one toolchain on one machine.

    cache: where builds and references lie, by content. level: the sandbox that is demanded.
    """

    def __init__(self, program: Program, cache: Path, level: str) -> None:
        chain = strongest(cache)
        demand(chain, level)
        self.program = program
        self.tools = toolchain(program.clang)
        self.compiler = Compiler(self.tools, cache, chain)
        cpu = sorted(os.sched_getaffinity(0))[-1]  # interrupts favour the first core
        self.runner = Runner(cache, chain, cpu, self.compiler.meter)
        key = content_id(
            [program.model_dump(mode="json", exclude={"level", "kernel", "hot", "ready"}), self.tools.version, LAYOUT]
        )
        self.folder = cache / "llvm_ir" / key
        self._shapes: dict[str, Shape] = {}

    @property
    def baseline(self) -> Candidate:
        """The program as it is, with -O3."""
        return self.candidate(self.program.source, Recipe(flags=O3), BASELINE)

    def varied(self, number: int) -> Candidate:
        """A varied form of the program, with -O3. Raises UserError where its change does not fit."""
        change = self.program.changes[number]
        source = change.applied(self.program.source)
        if source is None:
            raise UserError(f"The change {change.name} does not fit the program that it was made for.")
        return self.candidate(source, Recipe(flags=O3), "varied")

    def candidate(self, source: str, recipe: Recipe, family: str) -> Candidate:
        """A candidate of this source by this recipe."""
        files = {self.program.main: source, RECIPE_FILE: recipe.model_dump_json(indent=1)}
        return Candidate(files=files, family=family, origin=family if family == BASELINE else "search")

    def built(self, candidate: Candidate) -> Path:
        """The candidate's binary, from the cache where it was built before. Raises NotBuilt, Rejected."""
        kept = self.folder / "builds" / candidate.id
        if not (kept / "program").exists():
            with open_folder() as folder:
                self._keep(self.fresh_build(candidate, folder), kept)
        return kept / "program"

    def ir_of(self, candidate: Candidate) -> str:
        """The IR that the candidate's binary was generated from. Raises NotBuilt, Rejected."""
        return (self.built(candidate).parent / IR_FILE).read_text(encoding="utf-8")

    def shape(self, candidate: Candidate) -> Shape:
        """The shape of what a candidate compiles, before any pass. Raises NotBuilt."""
        name, text = main_text(candidate)
        key = content_id([name, text, [f"{k}={v}" for k, v in candidate.params.items() if k.isupper()]])
        if key not in self._shapes:
            self._shapes[key] = shape_of(text if name.endswith(".ll") else self._before(candidate))
        return self._shapes[key]

    def _before(self, candidate: Candidate) -> str:
        name, text = main_text(candidate)
        given = tuple(f"-D{k}={v}" for k, v in candidate.params.items() if k.isupper())
        with open_folder() as folder:
            source = laid_out({**self.program.with_source(text)}, folder).parent / name
            flags = (*SHAPING, "-march=native", *self.program.cflags, *given)
            return self.compiler.ir(source, folder / "shape.ll", flags).read_text(encoding="utf-8")

    def base_shape_for(self, candidate: Candidate) -> Shape:
        """The shape of the program itself, in the form that the candidate has: C, or IR by the same recipe."""
        name, _ = main_text(candidate)
        return self.ir_shape(recipe_of(candidate)) if name.endswith(".ll") else self.base_shape

    def apart(self, parent: Candidate) -> tuple[Candidate, str]:
        """The parent with its functions kept apart, and its IR: what one function of it can be replaced in.

        Raises:
            NotBuilt, Rejected.
        """
        if main_text(parent)[0].endswith(".ll"):
            return parent, main_text(parent)[1]
        recipe = recipe_of(parent)
        recipe = recipe.model_copy(update={"flags": (*(f for f in recipe.flags if f != APART), APART)})
        kept = parent.model_copy(update={"files": {**parent.files, RECIPE_FILE: recipe.model_dump_json(indent=1)}})
        return kept, self.ir_of(kept)

    def ir(self, recipe: Recipe, source_text: str = "") -> str:
        """The IR of the program itself, or of a varied source of it, after all passes. Raises NotBuilt."""
        with open_folder() as folder:
            files = self.program.with_source(source_text) if source_text else self.program.files
            source = laid_out(files, folder)
            flags = (*recipe.flags, *self.program.cflags, "-w")
            return self.compiler.ir(source, folder / "program.ll", flags).read_text(encoding="utf-8")

    def ir_shape(self, recipe: Recipe) -> Shape:
        """The shape of that IR."""
        key = recipe.model_dump_json()
        if key not in self._shapes:
            self._shapes[key] = shape_of(self.ir(recipe))
        return self._shapes[key]

    @cached_property
    def base_shape(self) -> Shape:
        """The shape of the program itself."""
        return self.shape(self.baseline)

    @cached_property
    def loops(self) -> tuple[hints.Place, ...]:
        """The hot loops of the program, as they can be named in metadata."""
        with open_folder() as folder:
            source = laid_out(self.program.files, folder)
            flags = (*STRICT, *self.program.cflags, *BEFORE, *LINES, "-w")
            text = self.compiler.ir(source, folder / "before.ll", flags).read_text(encoding="utf-8")
        found = [hints.Place(function=name, line=line) for name, line in loops_of(text)]
        return hints.hottest(found, self.program.hot)

    @cached_property
    def reference(self) -> Reference:
        """What the -O3 build prints and takes; made once, then kept beside the builds.

        Raises:
            UserError: the program itself fails.
        """
        path = self.folder / "reference.json"
        self.folder.mkdir(parents=True, exist_ok=True)
        with awaited(self.folder / "reference.lock"):
            if not path.exists():
                found = self._refer()
                path.write_text(found.model_dump_json(), encoding="utf-8")
            return Reference.model_validate(json.loads(path.read_text(encoding="utf-8")))

    def _refer(self) -> Reference:
        base = self.built(self.baseline)
        with self._running(base) as program:
            dumps = [
                self.runner.printed(program, given, self.program.dump, self.expected(i), FIRST_LIMIT_S)
                for i, given in enumerate(self.given)
            ]
            runs = [self.runner.timed(program, self.program.input, FIRST_LIMIT_S) for _ in range(PROBES)]
        changed = []
        for number in range(len(self.program.changes)):
            with self._running(self.built(self.varied(number))) as varied:
                out = self.expected(number, "change")
                took = self.runner.printed(varied, self.program.input, self.program.dump, out, FIRST_LIMIT_S)
                changed.append(took.cpu_s * 1e3)
        cpu = median(r.cpu_s for r in runs) * 1e3
        cases = len(self.given) + len(self.program.changes)
        return Reference(cpu_ms=cpu, dump_ms=dumps[0].cpu_s * 1e3, cases=cases, change_ms=tuple(changed))

    @property
    def given(self) -> tuple[Input, ...]:
        """The input to be timed, then those held out."""
        return (self.program.input, *self.program.inputs)

    def expected(self, number: int, kind: str = "input") -> Path:
        """Where the reference's output lies."""
        return self.folder / f"{kind}{number}.txt"

    @property
    def limit_s(self) -> float:
        """How long a run of a candidate may take."""
        return 1.0 + PATIENCE * max(self.reference.cpu_ms, self.reference.dump_ms) / 1e3

    def agrees(self, program: Path, number: int, kind: str = "input") -> str:
        """Run with one input and compare what is printed; how near it is, and the milliseconds it took.

        Raises:
            Wrong, Crashed, TimedOut.
        """
        given = self.given[number] if kind == "input" else self.program.input
        expected = self.expected(number, kind)
        with self._running(program) as copy:
            out = copy.parent / "printed.txt"
            self.runner.printed(copy, given, self.program.dump, out, self.limit_s)
            return compare(expected, out, self.program.level)

    def clean(self, candidate: Candidate) -> str:
        """Run the candidate under sanitizers, on the given input.

        Raises:
            Wrong: out of bounds, or undefined behaviour. NotBuilt.
        """
        with open_folder() as folder:
            self._sanitized_run(candidate, folder)
            return "nothing out of bounds, nothing undefined"

    def clean_alike(self, candidate: Candidate) -> str:
        """As `clean`, and its result is the program's own under sanitizers: nothing unset is used.

        Raises:
            Wrong: out of bounds, undefined behaviour, or another result. NotBuilt.
        """
        expected = self.folder / "sanitized.txt"
        with awaited(self.folder / "sanitized.lock"), open_folder() as folder:
            if not expected.exists():
                made = self._sanitized_run(self.baseline, folder)
                made.replace(expected)
        with open_folder() as folder:
            try:
                compare(expected, self._sanitized_run(candidate, folder), self.program.level)
            except Wrong as error:
                raise Wrong(f"Under sanitizers: {error}") from error
            return "nothing out of bounds, nothing undefined, nothing unset is used"

    def _sanitized_run(self, candidate: Candidate, folder: Path) -> Path:
        """What the candidate prints under sanitizers. Raises Wrong, NotBuilt."""
        program = make_sanitized(self.compiler, self.program, candidate, folder)
        out = folder / "sanitized.txt"
        try:
            self.runner.sanitized(program, self.program.input, self.program.dump, out, 10 * self.limit_s)
        except (Crashed, TimedOut) as error:
            raise Wrong(f"Under sanitizers: {error}") from error
        return out

    def both_ms(self, program: Path, runs: int) -> tuple[float, float]:
        """Processor time with the result asked for, and without: the least of so many runs each, in milliseconds."""
        with self._running(program) as copy:
            out = copy.parent / "printed.txt"
            asked = [
                self.runner.printed(copy, self.program.input, self.program.dump, out, self.limit_s).cpu_s
                for _ in range(runs)
            ]
            plain = [self.runner.timed(copy, self.program.input, self.limit_s).cpu_s for _ in range(runs)]
        return min(asked) * 1e3, min(plain) * 1e3

    def printed_ms(self, program: Path) -> float:
        """Processor time of one run that prints its result, in milliseconds."""
        with self._running(program) as copy:
            out, given = copy.parent / "printed.txt", self.program.input
            return self.runner.printed(copy, given, self.program.dump, out, self.limit_s).cpu_s * 1e3

    def timed_ms(self, program: Path) -> float:
        """Processor time of one run, in milliseconds."""
        return self.runner.timed(program, self.program.input, self.limit_s).cpu_s * 1e3

    @contextmanager
    def _running(self, program: Path) -> Iterator[Path]:
        """A copy of a binary where the sandbox's other user may run it."""
        with open_folder() as folder:
            yield copied(program, folder / "program")

    def fresh_build(self, candidate: Candidate, folder: Path) -> Path:
        """Build again from the record, in `folder`, whatever is in the cache; the baseline in one step, as users do.

        Raises:
            NotBuilt, Rejected.
        """
        program = make(self.compiler, self.program, candidate, folder)
        if candidate.family == BASELINE:
            source = folder / self.program.main
            self.compiler.binary(source, program, (*O3, *self.program.cflags), self.program.ldflags)
        return program

    def _keep(self, program: Path, kept: Path) -> None:
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept) as part:
            for file in (program.parent / IR_FILE, program):
                os.replace(copied(file, Path(part) / file.name), kept / file.name)  # noqa: PTH105  one step


def copied(program: Path, to: Path) -> Path:
    """A copy that others may run, too."""
    to.write_bytes(program.read_bytes())
    to.chmod(0o755)
    return to


def digest(program: Path) -> str:
    """SHA-256 of a binary: what was verified is what is timed."""
    return hashlib.sha256(program.read_bytes()).hexdigest()
