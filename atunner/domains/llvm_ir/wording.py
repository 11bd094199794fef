"""What a model is told of C programs and their IR: roles, rules, the forms of an answer, the profile."""

from atunner.core.terms import Terms
from atunner.domains.llvm_ir.build import LINES, O3, laid_out
from atunner.domains.llvm_ir.evidence.gather import Program as Profiled
from atunner.domains.llvm_ir.evidence.gather import profile
from atunner.domains.llvm_ir.evidence.markdown import as_markdown
from atunner.domains.llvm_ir.program import Level
from atunner.domains.llvm_ir.running import open_folder
from atunner.domains.llvm_ir.subject import Subject

PLANNER = (
    "You plan how to make one C program faster than clang -O3 makes it. You write no code. A judge builds, verifies "
    "and measures what others write from your plan."
)
CODER = (
    "You make one C program faster than clang -O3 makes it. A judge compiles what you write, compares every number "
    "that the program prints with the original's on given and hidden inputs, and measures processor time."
)
FORBIDDEN = (
    "- Keep every function, its name and its arguments; leave main as it is; compute the same result for any input.",
    "- No inline assembler, no new calls to the outside but memcpy, memset, malloc, free and sqrt; keep volatile.",
    "- One thread, no clocks, files, environment; no table of answers; nothing left out when nothing is printed.",
)
ROUNDING = {
    Level.EXACT: "- Every bit of the result must be equal: never reorder a floating-point sum, never fuse a*b+c.",
    Level.TOLERANCE: "- Each number may be off by 1e-6 of the largest one: sums may be reordered, a*b+c may be fused.",
    Level.FAST: "- Each number may be off by 1e-3 of the largest one.",
}
CONVENTION = (
    "- `source` is one of: the whole C file; one C function, which replaces the one of its name; one LLVM IR `define`, "
    "likewise; or one JSON edit:",
    '  {"kind": "flags", "flags": ["-O3", "-march=native", "-ffp-contract=off"]}, '
    '{"kind": "pipeline", "passes": "default<O3>,loop-interchange"}, '
    '{"kind": "metadata", "loops": [{"function": "f", "line": 12, "properties": [["unroll.count", 4]]}]}.',
    "- Each tunable number is a NAME in capitals, used bare in the source and listed in `parameters` with its values.",
    "- Vectors are best written with __attribute__((vector_size(32))) types, loops with constant trip counts.",
)


def told(subject: Subject, places: tuple[str, ...]) -> Terms:
    """The terms for this program."""
    return Terms(
        planner=PLANNER,
        coder=CODER,
        forbidden=(*FORBIDDEN, ROUNDING[subject.program.level]),
        convention=CONVENTION,
        evidence=(*_profile(subject), *places),
    )


def _profile(subject: Subject) -> tuple[str, ...]:
    """The profile of the -O3 build, one line each; made once."""
    kept = subject.folder / "profile.md"
    if not kept.exists():
        program = subject.program
        with open_folder() as folder:
            source = laid_out(program.files, folder)
            flags = (*O3, *program.cflags)
            binary = subject.compiler.binary(source, folder / program.name, (*flags, *LINES), program.ldflags)
            run = Profiled(binary, program.input.args, program.input.stdin)
            found = as_markdown(profile(run, subject.compiler, source, flags))
        subject.folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(found, encoding="utf-8")
    return tuple(line for line in kept.read_text(encoding="utf-8").splitlines() if line.startswith("-"))
