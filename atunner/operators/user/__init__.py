"""A user's own kernel as an operator: what it takes, what it must give, and what may be tuned."""

from atunner.operators.user.kernel import Answer, Argument, Tolerance, UserKernel
from atunner.operators.user.operator import UserFamily, UserOperator, given, given_inputs, problem_of

__all__ = [
    "Answer",
    "Argument",
    "Tolerance",
    "UserFamily",
    "UserKernel",
    "UserOperator",
    "given",
    "given_inputs",
    "problem_of",
]
