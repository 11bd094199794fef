"""The problem that a GPU kernel is checked at on the CPU: as given, or the task's own made small enough."""

from math import prod

from atunner.core.errors import UserError
from atunner.core.program import Problem
from atunner.operators.user import UserKernel, problem_of

CHECKED_ELEMENTS = 1 << 18
MOST_ELEMENTS = 1 << 22
LEAST_SIZE = 128


def checked_problem(kernel: UserKernel, problem: Problem) -> Problem:
    """The problem that a GPU kernel is checked at on the CPU: as given in `check`, else the problem itself.

    A large one is halved in its sizes while its tensors follow.

    Raises:
        UserError: it is too large and cannot be made smaller.
    """
    if kernel.check:
        return problem_of(kernel, {**kernel.sizes, **kernel.check})
    found = problem
    while _work(found) > CHECKED_ELEMENTS and (smaller := _halved(kernel, found)) is not None:
        found = smaller
    if _work(found) > MOST_ELEMENTS:
        raise UserError(
            f"{kernel.name} works on {_work(found)} elements, too many to check on the CPU, and its arguments do not "
            "follow its sizes; give smaller ones: check: {size: NUMBER} in YAML, with shapes written in those sizes."
        )
    return found


def _halved(kernel: UserKernel, problem: Problem) -> Problem | None:
    """The problem with its largest even size halved, if that makes the tensors smaller."""
    for name in sorted(problem.dims, key=lambda n: -problem.dims[n]):
        extent = problem.dims[name]
        if extent >= 2 * LEAST_SIZE and extent % 2 == 0:
            smaller = problem_of(kernel, {**problem.dims, name: extent // 2})
            if _work(smaller) < _work(problem):
                return smaller
    return None


def _work(problem: Problem) -> int:
    return sum(prod(b.shape) for b in problem.buffers)
