"""What is judged right, and how each way to be wrong is told."""

from pathlib import Path

import pytest
from ir_programs import Asked

from atunner.core.candidate import Candidate, Params
from atunner.core.judge import judge
from atunner.core.measurement import Measurement
from atunner.core.status import Status
from atunner.core.task import Task
from atunner.core.trial import Trial
from atunner.domains.llvm_ir import flags, templates, timing
from atunner.domains.llvm_ir.build import STRICT
from atunner.domains.llvm_ir.domain import TOOLS_S, LlvmIr
from atunner.domains.llvm_ir.program import program_of
from atunner.domains.llvm_ir.recipe import RECIPE_FILE, LoopHint, Recipe
from atunner.domains.llvm_ir.seen import Seen
from atunner.domains.llvm_ir.subject import Subject

SUM = "sum += a[i][k] * b[k][j];"
INNER = "for (int k = 0; k < DEPTH; k++)\n                sum"


def rewritten(subject: Subject, old: str, new: str, recipe: Recipe | None = None) -> Candidate:
    """The program with a line of it changed, as a model would."""
    source = subject.program.source
    assert source.count(old) == 1
    made = subject.candidate(source.replace(old, new), recipe or Recipe(), "written")
    return made.model_copy(update={"origin": "model:test"})


def test_the_baseline_is_measured_and_its_ir_is_counted(domain: LlvmIr, product: Task) -> None:
    trial = judge(domain, product, domain.baseline(product))

    assert trial.status is Status.OK, trial.feedback
    assert trial.measurement is not None
    assert trial.measurement.unit == "ms"
    counted = next(c for c in trial.checks if c.name == "IR")
    assert int(str(counted.figures["ir_lines"])) > 50
    assert any(TOOLS_S in c.figures for c in trial.checks)


def test_the_preflight_finds_what_is_held_out_and_where_the_time_goes(product: Task) -> None:
    program = program_of(product)

    assert {"smaller sizes"} < {c.name for c in program.changes}
    assert program.ready


def test_strict_native_is_right_and_built_from_the_kept_ir(domain: LlvmIr, product: Task, subject: Subject) -> None:
    candidate = domain.realise(product, flags.FAMILY, flags.strict())
    trial = judge(domain, product, candidate)

    assert trial.status is Status.OK, trial.feedback
    assert "target-cpu" in subject.ir_of(candidate)


def test_a_right_rewrite_is_tried_in_varied_programs_and_under_sanitizers(
    domain: LlvmIr, product: Task, subject: Subject
) -> None:
    changed = rewritten(subject, SUM, "{ double x = a[i][k] * b[k][j]; sum = sum + x; }", Recipe(flags=("-O1",)))
    trial = judge(domain, product, changed)

    assert trial.status is Status.OK, trial.feedback
    names = " ".join(c.name for c in trial.checks)
    assert "held-out variant: smaller sizes" in names
    assert "sanitizers" in names
    assert "works when timed" in names


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (SUM, "sum = a[i][k] * b[k][j] + sum + 1e-13;", "Wrong result at level exact"),
        (INNER, "for (int k = DEPTH - 1; k >= 0; k--)\n                sum",
         "Wrong result at level exact"),
        (INNER, "for (int k = 0; k < 170; k++)\n                sum",
         "With smaller sizes only"),
        (SUM, "{ sum += a[i][k] * b[k][j]; if ((&b[0][0])[DEPTH * COLS + k % 2] > 1e300) sum = 0; }",
         "AddressSanitizer"),
        (SUM, "{ sum += a[i][k] * b[k][j]; int most = 2147483647 - k; if (most + k + 1 > 0) sum = 0; }",
         "signed integer overflow"),
    ],
)  # fmt: skip
def test_a_wrong_rewrite_is_told_how(
    domain: LlvmIr, product: Task, subject: Subject, old: str, new: str, message: str
) -> None:
    trial = judge(domain, product, rewritten(subject, old, new, Recipe(flags=("-O2", "-fno-vectorize"))))

    assert trial.status is Status.WRONG, trial.feedback
    assert message in trial.feedback
    assert ("Under sanitizers" in trial.feedback) == ("anitizer" in message or "overflow" in message)
    assert trial.measurement is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        multiply();", "        if (argc > 1) multiply();", "main was changed"),
        (SUM, '{ sum += a[i][k] * b[k][j]; __asm__ volatile("nop"); }', "assembly"),
        (SUM, "sum = __builtin_fma(a[i][k], b[k][j], sum);", "Fused"),
        ("static void multiply(void)\n{", "#include <time.h>\nstatic void multiply(void)\n{ if (clock() < 0) return;",
         "New calls to the outside: clock"),
    ],
)  # fmt: skip
def test_the_gate_refuses_before_anything_is_run(
    domain: LlvmIr, product: Task, subject: Subject, old: str, new: str, message: str
) -> None:
    trial = judge(domain, product, rewritten(subject, old, new))

    assert trial.status is Status.REJECTED
    assert message in trial.feedback


def test_leaving_the_work_out_when_nothing_is_printed_is_wrong(domain: LlvmIr, asked: Asked) -> None:
    source = """#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    unsigned x = 1;
    for (unsigned i = 0; i < 12000000; i++)
        x = x * 1664525u + (x >> 7) + i;
    if (argc > 1 && !strcmp(argv[1], "dump")) printf("%u\\n", x);
    return x == 3;
}
"""
    task = domain.admit(asked(source))
    subject = Subject(program_of(task), domain.config.cache, "rlimits")
    lazy = source.replace("i < 12000000", "i < (argc > 1 ? 12000000u : 12u)")
    trial = judge(domain, task, subject.candidate(lazy, Recipe(), "written"))

    assert trial.status in (Status.WRONG, Status.REJECTED)
    assert "works less when its result is not asked for" in trial.feedback or "table of answers" in trial.feedback


def test_an_answer_in_ir_goes_through_the_same_gate(domain: LlvmIr, product: Task, subject: Subject) -> None:
    from atunner.domains.llvm_ir.evidence.ir_text import bodies

    parent = domain.realise(product, flags.FAMILY, flags.strict())
    apart, ir = subject.apart(parent)
    define = "\n".join(dict(bodies(ir))["multiply"])
    same = domain.complete(product, parent, define.replace("entry:", "entry:"))
    wrong = domain.complete(product, parent, define.replace("fadd double", "fsub double", 1))
    loose = domain.complete(product, parent, define.replace("fadd double", "fadd reassoc double", 1))
    verdicts = [judge(domain, product, Candidate(files=f)) for f in (same, wrong, loose)]

    assert verdicts[0].status is Status.OK, verdicts[0].feedback
    assert any("held-out variant: other numbers" in c.name for c in verdicts[0].checks)
    assert verdicts[1].status is Status.WRONG
    assert verdicts[2].status is Status.REJECTED
    assert apart.files[RECIPE_FILE] == same[RECIPE_FILE]


def test_loop_metadata_and_passes_reach_the_ir(domain: LlvmIr, product: Task, subject: Subject) -> None:
    source = subject.program.source
    line = source[: source.index(INNER)].count("\n") + 1
    hint = LoopHint(function="multiply", line=line, properties=(("unroll.count", 8), ("vectorize.width", 1)))
    hinted = subject.candidate(source, Recipe(flags=STRICT, loops=(hint,)), "loops")
    passed = subject.candidate(source, Recipe(flags=STRICT, passes="default<O2>"), "passes")
    plain = subject.ir_of(subject.candidate(source, Recipe(flags=STRICT), "plain"))

    for candidate in (hinted, passed):
        trial = judge(domain, product, candidate)
        assert trial.status is Status.OK, trial.feedback
    assert subject.ir_of(hinted).count("fadd") != plain.count("fadd")
    gone = subject.candidate(source, Recipe(loops=(hint.model_copy(update={"line": 1}),)), "loops")
    assert "No loop of multiply begins at line 1" in judge(domain, product, gone).feedback


def test_native_without_strict_contraction_is_rejected_at_exact(
    domain: LlvmIr, product: Task, subject: Subject
) -> None:
    fused = subject.candidate(subject.program.source, Recipe(flags=("-O3", "-march=native")), "flags")

    assert judge(domain, product, fused).status is Status.REJECTED


def test_equal_binaries_are_timed_once(domain: LlvmIr, product: Task) -> None:
    trials = [
        judge(domain, product, domain.realise(product, flags.FAMILY, {**flags.strict(), "errno": value}))
        for value in ("kept", "not set")
    ]
    one, other = (t.measurement for t in trials)

    assert one is not None
    assert one == other


def test_the_expert_begins_with_fixed_builds_then_takes_rewrites(domain: LlvmIr, product: Task) -> None:
    base = Trial(candidate=domain.baseline(product), status=Status.OK)
    first = domain.advise(product, [base], 6)
    points = [(a.family, p) for a in first for p in a.starts]
    after = domain.advise(
        product, [base, *(Trial(candidate=domain.realise(product, f, p), status=Status.WRONG) for f, p in points)], 6
    )

    assert first[0].family == flags.FAMILY
    assert dict(first[0].starts[0]) == flags.strict()
    assert all(p not in points for p in ((a.family, s) for a in after for s in a.starts))


def test_numbers_that_changed_no_binary_are_left_for_last(domain: LlvmIr, product: Task) -> None:
    def trial(params: Params, *samples: float) -> Trial:
        candidate = domain.realise(product, templates.FAMILY, params)
        return Trial(
            candidate=candidate, status=Status.OK, measurement=Measurement(unit="ms", samples=samples, source="test")
        )

    def changed(trials: list[Trial]) -> list[set[str]]:
        """What each advised rewrite changes in the best one."""
        advised = [a for a in domain.advise(product, trials, 40) if a.family == templates.FAMILY]
        return [{n for n in p if p[n] != best[n]} for a in advised for p in a.starts]

    base = Trial(candidate=domain.baseline(product), status=Status.OK)
    best = next(p for a in domain.advise(product, [base], 6) if a.family == templates.FAMILY for p in a.starts)
    name = next(n for n in best if n == "everywhere_register_block_rows")
    one, other = trial(best, 1.0, 1.1), trial({**best, name: 2}, 1.0, 1.1)
    apart = trial({**best, name: 2}, 1.2, 1.3)

    assert {name} in changed([base, one, apart])
    assert {name} not in changed([base, one, other])


def test_the_fastest_is_what_the_next_is_measured_beside(domain: LlvmIr, product: Task, tmp_path: Path) -> None:
    seen = Seen(tmp_path / "seen")
    programs = [tmp_path / name for name in ("one", "two", "three")]
    for program, ms in zip(programs, (3.0, 2.0, 4.0), strict=True):
        program.touch()
        seen.keep(program.name, program, Measurement(unit="ms", samples=(ms,), source="test"))

    leader = seen.leader()
    assert leader is not None
    assert (leader.program, leader.figure.value) == (programs[1], 2.0)
    programs[1].unlink()
    assert seen.leader() is None


def test_what_is_far_behind_is_not_looked_at_for_long() -> None:
    def pairs(candidate_ms: float) -> int:
        return len(timing.look(lambda: 10.0, lambda: candidate_ms).baseline)

    assert pairs(13.0) == timing.LEAST_PAIRS
    assert pairs(11.0) == pairs(9.0) == timing.MOST_PAIRS
    assert timing.corrected(timing.look(lambda: 10.0, lambda: 5.0), 20.0).value == 10.0


def test_what_is_not_faster_for_sure_is_not_published(domain: LlvmIr, product: Task, subject: Subject) -> None:
    from atunner.core.errors import NotMeasured

    slower = domain.build(product, subject.candidate(subject.program.source, Recipe(flags=("-O0",)), "flags"))
    base = domain.build(product, domain.baseline(product))

    with pytest.raises(NotMeasured, match="not faster when confirmed"):
        domain.compare(product, base, slower)
