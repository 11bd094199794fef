"""Profiling one program on this machine; what is not here is n/a with its reason, and the next best way is taken."""

import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from atunner.core.errors import NotBuilt, ToolError
from atunner.domains.llvm_ir.build import BEFORE, LINES, Compiler
from atunner.domains.llvm_ir.evidence import hot as heat
from atunner.domains.llvm_ir.evidence import inner_loop, ir_text, readings, remarks
from atunner.domains.llvm_ir.evidence.hot import Hot
from atunner.domains.llvm_ir.evidence.program_profile import IrCounts, ProgramProfile
from atunner.domains.llvm_ir.evidence.readings import Reading, Readings
from atunner.tools.process import Finished, run

GROUPS = (
    ("cycles", "instructions", "branches", "branch-misses", "cache-misses"),
    ("cycles", "L1-dcache-loads", "L1-dcache-load-misses", "dTLB-load-misses"),
)
"""At most five events a run, so that nothing is multiplexed."""

RATE_HZ = "4999"
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True)
class Program:
    """A built program and how it is run. wrapper: what stands before it on the command line (a sandbox)."""

    binary: Path
    args: tuple[str, ...] = ()
    stdin: str = ""
    wrapper: tuple[str, ...] = ()
    timeout_s: float = 120.0
    env: dict[str, str] = field(default_factory=dict)

    @property
    def argv(self) -> tuple[str, ...]:
        """The whole command line."""
        return (*self.wrapper, str(self.binary), *self.args)


def profile(program: Program, compiler: Compiler, source: Path, flags: tuple[str, ...]) -> ProgramProfile:
    """All evidence about `source` built with `flags`; `program` is that build, with line tables.

    Raises:
        NotBuilt: the source does not compile.
    """
    with _folder() as folder:
        counts = counters(program)
        hot = hottest(program, compiler, source, flags)
        shares = {(line.file, line.line): line.share for line in hot.lines}
        ir = compiler.ir(source, folder / "program.ll", flags)
        module = ir_text.parse(ir.read_text(encoding="utf-8"))
        found, why = remarked(compiler, source, flags, folder)
        by_line = {line.line: line.share for line in hot.lines}
        forecast, unknown = forecasted(compiler, source, flags, hot.function, by_line)
        return ProgramProfile(
            program=program.binary.name,
            build=" ".join((compiler.toolchain.name, *flags)),
            readings=counts,
            hot=hot,
            remarks=remarks.telling(found, hot.function, shares),
            forecast=forecast,
            ir=counted(module, hot.function),
            notes=tuple(note for note in (*hot.notes, why, unknown) if note),
        )


def counted(module: ir_text.Module, function: str) -> IrCounts:
    """A module in numbers, with its hot function's."""
    inner = module.function(function)
    return IrCounts(
        lines=module.lines,
        instructions=module.instructions,
        opcodes=module.opcodes,
        hot_lines=inner.lines if inner else 0,
        hot_instructions=inner.instructions if inner else 0,
        hot_vector=inner.vector if inner else 0,
    )


def counters(program: Program) -> Readings:
    """Events of `GROUPS` in runs of their own, and user time; what perf cannot count is n/a with its reason."""
    found = [_group(program, group) for group in GROUPS[:1]]
    if any(reading.value is not None for reading in found[0].readings if reading.event in GROUPS[0]):
        found += [_group(program, group) for group in GROUPS[1:]]
    else:
        reason = next((r.reason for r in found[0].readings if r.event == "cycles"), "")
        found.append(Readings(readings=tuple(Reading(event=e, reason=reason) for e in GROUPS[1][1:])))
    return readings.join([*found, Readings(readings=(user_time(program),))])


def user_time(program: Program) -> Reading:
    """Seconds in user mode of one run, as the kernel accounts them to ended children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    _run(program, *program.argv)
    return Reading(
        event=readings.USER_TIME, value=max(0.0, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    )


def _group(program: Program, events: tuple[str, ...]) -> Readings:
    with _folder() as folder:
        out = folder / "counts.csv"
        asked = ",".join(f"{event}:u" for event in events)
        try:
            done = _run(program, "perf", "stat", "-x", ",", "-o", str(out), "-e", asked, "--", *program.argv)
        except ToolError as error:
            return _none(events, str(error))
        found = readings.parse(out.read_text(errors="replace")) if out.exists() else Readings()
        return found if found.readings else _none(events, _refusal(done))


def _none(events: tuple[str, ...], reason: str) -> Readings:
    return Readings(readings=tuple(Reading(event=event, reason=reason) for event in events))


def _refusal(done: Finished) -> str:
    """Why perf gave nothing, in its own first words."""
    said = [line.strip() for line in done.output.splitlines() if line.strip() and line.strip() != "Error:"]
    words = next((s for s in said if "perf" in s or "permi" in s.lower() or "No such" in s), "")
    return f"perf was refused: {words[:160] or 'it wrote no figures'}"


def hottest(program: Program, compiler: Compiler, source: Path, flags: tuple[str, ...]) -> Hot:
    """The hot function and its lines: sampled by perf, else counted by an instrumented build."""
    with _folder() as folder:
        try:
            found = sampled(program, folder)
            why = "perf found no samples in the program itself"
        except ToolError as error:
            found, why = Hot(), str(error)
        if found.function:
            return found
        try:
            return executed(program, compiler, source, flags)
        except (ToolError, NotBuilt) as error:
            return Hot(notes=(f"no hot lines: {why}; {error}",))


def sampled(program: Program, folder: Path) -> Hot:
    """Sample with perf record, report and annotate: by cycles, or by the clock where the machine has no counters.

    Raises:
        ToolError: perf is missing or hung.
    """
    data = str(folder / "perf.data")
    argv = ("perf", "record", "-q", "-F", RATE_HZ, "-e", "cycles:u", "-o", data, "--", *program.argv)
    done = _run(program, *argv)
    if not Path(data).exists():
        return Hot(notes=(_refusal(done),))
    report = run("perf", "report", "-i", data, "--stdio", "-F", "overhead,sym,dso", "-t", "|", timeout_s=60, env=ENV)
    head = heat.functions(report.output)
    function = heat.hottest(head.functions, program.binary.name)
    found = Hot(
        source=f"{head.samples} samples of {head.event} (perf record)",
        samples=head.samples,
        functions=tuple(f for f in head.functions if f.share >= heat.LEAST),
        function=function,
    )
    return _annotated(found, data, program.binary) if function else found


def _annotated(hot: Hot, data: str, binary: Path) -> Hot:
    argv = ("perf", "annotate", "-i", data, "--stdio", "-s", hot.function)
    listing = run(*argv, timeout_s=60, env=ENV, cwd=binary.parent).output
    code = heat.instructions(listing)
    if not code:
        return hot.model_copy(update={"notes": ("no hot lines: perf annotate needs objdump (binutils)",)})
    addresses = [hex(one.address) for one in code]
    places = run("addr2line", "-e", str(binary), *addresses, timeout_s=60, env=ENV).output.splitlines()
    if len(places) != len(code):
        return hot.model_copy(update={"instructions": code})
    placed = heat.placed(code, places)
    lines = heat.lines(placed, hot.share, lambda path: _lines_of(Path(path)))
    return hot.model_copy(update={"instructions": placed, "lines": lines, "notes": ()})


def executed(program: Program, compiler: Compiler, source: Path, flags: tuple[str, ...]) -> Hot:
    """Executed lines by an instrumented build (`-fprofile-instr-generate`).

    Raises:
        ToolError: llvm-profdata or llvm-cov is missing. NotBuilt: the runtime library for it is missing.
    """
    tools = {name: compiler.toolchain.tool(name) for name in ("llvm-profdata", "llvm-cov")}
    with _folder() as folder:
        binary = folder / source.stem
        kept = tuple(flag for flag in flags if not flag.startswith("-O"))
        compiler.binary(source, binary, ("-O1", "-fprofile-instr-generate", "-fcoverage-mapping", *kept))
        raw, merged = folder / "counts.profraw", folder / "counts.profdata"
        run(str(binary), *program.args, timeout_s=program.timeout_s * 10, cwd=folder, stdin=program.stdin,
            env={**ENV, **program.env, "LLVM_PROFILE_FILE": str(raw)})  # fmt: skip
        run(tools["llvm-profdata"], "merge", str(raw), "-o", str(merged), timeout_s=60, env=ENV)
        argv = (tools["llvm-cov"], "export", "-format=lcov", "-instr-profile", str(merged), str(binary))
        return heat.counted(run(*argv, timeout_s=60, env=ENV).output, _lines_of(source))


def remarked(
    compiler: Compiler, source: Path, flags: tuple[str, ...], folder: Path
) -> tuple[tuple[remarks.Remark, ...], str]:
    """The compiler's remarks about this build, and why there are none."""
    out = folder / "remarks.yaml"
    entry = BEFORE if source.suffix == ".ll" else ()
    argv = [compiler.toolchain.clang, "-c", *flags, *entry, *LINES, "-w", f"-foptimization-record-file={out}"]
    try:
        compiler.call([*argv, str(source), "-o", os.devnull], folder, source)
    except NotBuilt as error:
        return (), f"no remarks: {str(error).splitlines()[0]}"
    return remarks.parse(out.read_text(errors="replace")) if out.exists() else (), ""


def forecasted(
    compiler: Compiler, source: Path, flags: tuple[str, ...], function: str, shares: dict[int, float]
) -> tuple[inner_loop.Forecast | None, str]:
    """llvm-mca on the hot function's inner loop, and why there is no forecast."""
    if not function:
        return None, ""
    with _folder() as folder:
        assembly, part = folder / "program.s", folder / "loop.s"
        entry = BEFORE if source.suffix == ".ll" else ()
        argv = [compiler.toolchain.clang, "-S", *flags, *entry, *LINES, "-w", str(source), "-o", str(assembly)]
        compiler.call(argv, folder, source)
        loop = inner_loop.inner_loop(assembly.read_text(errors="replace"), function, shares)
        if loop is None:
            return None, f"{function} has no loop for llvm-mca"
        part.write_text(inner_loop.source(loop), encoding="utf-8")
        try:
            mca = compiler.toolchain.tool("llvm-mca")
            argv = [mca, "-mcpu=native", f"-iterations={inner_loop.ROUNDS}", "-bottleneck-analysis", str(part)]
            said = run(*argv, timeout_s=60, env=ENV).output
        except ToolError as error:
            return None, f"no forecast of the inner loop: {error}"
        found = inner_loop.forecast(loop, said)
        return found, "" if found else f"llvm-mca gave no forecast: {said.strip().splitlines()[:1]}"


def _run(program: Program, *argv: str) -> Finished:
    env = {**ENV, **program.env}
    return run(*argv, timeout_s=program.timeout_s, cwd=program.binary.parent, stdin=program.stdin, env=env)


def _lines_of(source: Path) -> list[str]:
    readable = source.suffix != ".ll" and source.is_file()
    return source.read_text(encoding="utf-8", errors="replace").splitlines() if readable else []


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="atunner-profile-") as name:
        yield Path(name)
