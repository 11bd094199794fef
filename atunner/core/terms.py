"""What a model must know to write for a domain: who it is, what it must not do, how it answers, and the evidence."""

from atunner.core.value import Value


class Terms(Value):
    """Lines of a brief. planner, coder: the opening for each role. forbidden, convention: rules. evidence: facts found.

    A domain that has none gets those for compute kernels.
    """

    planner: str
    coder: str
    forbidden: tuple[str, ...]
    convention: tuple[str, ...]
    evidence: tuple[str, ...] = ()
