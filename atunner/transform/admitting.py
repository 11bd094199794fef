"""Tests that a model suggests, each admitted by the judge or left out with the reason."""

from collections.abc import Sequence
from typing import Any

from atunner.core.errors import CandidateError, UserError
from atunner.domains.kernels import admission
from atunner.operators.user import UserKernel
from atunner.operators.user.cases import GivenTest
from atunner.operators.user.task import kernel_task
from atunner.transform.asking import Suggestion


def admitted_tests(
    judge: Any, kernel: UserKernel, target: str, suggestions: Sequence[Suggestion], by: str
) -> tuple[tuple[GivenTest, ...], tuple[str, ...]]:
    """The tests that the judge admits, and one line for each suggestion.

    The original must run on it without a fault; its answers must be finite, vary with the inputs, and differ from what
    a kernel without work would give.
    """
    taken: list[GivenTest] = []
    told: list[str] = []
    read = {a.name for a in kernel.arguments if a.role in ("input", "inout")}
    for one in suggestions:
        recipes = {n: r for n, r in one.recipes.items() if n in read}
        test = GivenTest(name=one.name, recipes=recipes, origin=f"model:{by}")
        why = _refusal(judge, kernel, target, test) if recipes else "it names no array that is read"
        told.append(f"test of {by}, {one.name[:60]}: {f'left out, {why}' if why else 'admitted'}")
        taken += [] if why else [test]
    return tuple(taken), tuple(told)


def _refusal(judge: Any, kernel: UserKernel, target: str, test: GivenTest) -> str:
    alone = kernel.model_copy(update={"tests": (test,), "generated": False})
    try:
        task = judge.admit(kernel_task(alone, target))
        plan = judge.plan_of(task)
        admission.admit(plan.oracle, plan.problem)
    except (UserError, CandidateError) as error:
        return str(error).splitlines()[0][:200]
    return ""
