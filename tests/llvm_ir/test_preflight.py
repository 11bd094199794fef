"""A program that cannot be tuned is told so in one line, before anything is spent."""

import pytest
from ir_programs import PRODUCT, Asked

from atunner.core.errors import UserError
from atunner.domains.llvm_ir.domain import LlvmIr
from atunner.domains.llvm_ir.program import program_of
from atunner.tools.process import ProgramMissing

LOOP = "volatile unsigned x; for (unsigned i = 0; i < 30000000; i++) x += i;"


def program(body: str, head: str = "") -> str:
    return f"#include <stdio.h>\n#include <stdlib.h>\n{head}\nint main(int argc, char **argv) {{ {body} return 0; }}\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (program("int x = ;"), r"does not compile with -O3: .*error: expected expression"),
        ("int work(void) { return 1; }\n", "has no main"),
        (program("zlibVersion();", "char *zlibVersion(void);"), "needs a library: zlibVersion.*--ldflags"),
        (program('puts("1");'), "too little to tell what is faster"),
        (program(LOOP), "prints nothing when run with 'dump'"),
        (program(f'{LOOP} printf("%p\\n", (void *)&x); '), r"not deterministic.*at byte \d+: first '.*', then '"),
        (program(f'{LOOP} printf("%d\\n", getpid());', "#include <unistd.h>"), "not deterministic.*process ids"),
        (program(f'{LOOP} printf("%ld\\n", (long)time(0));', "#include <time.h>"), "not deterministic.*; time, "),
        (program(f"{LOOP} abort();"), "itself fails"),
        (program("int x = getchar(); return x;"), "waits for input: give it with --stdin"),
    ],
)
def test_each_kind_of_unfit_program_is_named(domain: LlvmIr, asked: Asked, source: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        domain.admit(asked(source))

    assert "\n" not in str(caught.value)


def test_a_clang_that_is_not_here_is_named_with_those_that_are(domain: LlvmIr, asked: Asked) -> None:
    task = asked(PRODUCT)

    with pytest.raises(ProgramMissing, match=r"clang-99 is not on this machine. Here: .*clang-19"):
        domain.admit(task.model_copy(update={"spec": {**task.spec, "clang": "clang-99"}}))


def test_numbers_among_the_arguments_give_held_out_inputs(domain: LlvmIr, asked: Asked) -> None:
    body = 'unsigned x = 1; for (long i = atol(argv[1]); i; i--) x = x * 5 + (x >> 3); printf("%u\\n", x);'
    task = asked(program(body))
    task = task.model_copy(update={"spec": {**task.spec, "input": {"args": ["20000000"]}}})
    found = program_of(domain.admit(task))

    assert [i.args for i in found.inputs] == [("7400001",), ("12200001",)]


def test_an_admitted_task_is_admitted_again_unchanged(domain: LlvmIr, asked: Asked) -> None:
    once = domain.admit(asked(PRODUCT))

    assert domain.admit(once) == once


def test_clang_14_serves_as_well(domain: LlvmIr, asked: Asked) -> None:
    from support import need

    from atunner.core.judge import judge
    from atunner.core.status import Status
    from atunner.domains.llvm_ir import flags

    need("clang-14")
    task = asked(PRODUCT)
    task = domain.admit(task.model_copy(update={"spec": {**task.spec, "clang": "clang-14"}}))
    trial = judge(domain, task, domain.realise(task, flags.FAMILY, flags.strict()))

    assert trial.status is Status.OK, trial.feedback
    assert "14." in domain.environment(task).toolchain["clang"]


def test_the_kernel_that_is_named_must_be_there_and_is_the_only_one_rewritten(domain: LlvmIr, asked: Asked) -> None:
    task = asked(PRODUCT)
    with pytest.raises(UserError, match=r"No function named 'multiplx'. Did you mean multiply"):
        domain.admit(task.model_copy(update={"spec": {**task.spec, "kernel": "multiplx"}}))

    named = domain.admit(task.model_copy(update={"spec": {**task.spec, "kernel": "multiply"}}))
    nests = next(f for f in domain.families(named) if f.name == "nests")
    assert all(p.name in {"build", "pages"} or p.name.startswith("multiply_") for p in nests.space.parameters)
