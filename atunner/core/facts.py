"""What the operator agent says: computed facts about the problem, before any kernel exists."""

from pydantic import Field

from atunner.core.value import Value


class Setting(Value):
    """One number of the problem: its value, and whether it was assumed (then `how` says how to set it)."""

    name: str
    value: int | str
    assumed: bool
    how: str = ""


class Epilogue(Value):
    """A neighbouring operation that could be fused, and the traffic that it would save.

    route: epilogue (applied to the result in registers), prologue, or neighbour. blocker: "" when it is legal.
    """

    name: str
    route: str
    saved_bytes: int
    legality: str
    blocker: str = ""


class OperatorFacts(Value):
    """A problem in numbers. flops: a fused multiply-add counts as two. min_bytes: every tensor moved once.

    Both are 0 where nothing can count them, as for a whole program.

    access and reuse are computed descriptions: how each tensor is walked, how often each element is used.
    """

    operator: str
    dtype: str
    settings: tuple[Setting, ...]
    tensors: dict[str, tuple[int, ...]]
    flops: float = Field(ge=0)
    min_bytes: float = Field(ge=0)
    access: tuple[str, ...] = ()
    reuse: dict[str, float] = Field(default_factory=dict)
    epilogues: tuple[Epilogue, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the work is known in numbers."""
        return self.flops > 0 and self.min_bytes > 0

    @property
    def intensity(self) -> float:
        """FLOPs per byte at minimal traffic: the abscissa of the roofline; 0 where they are not counted."""
        return self.flops / self.min_bytes if self.counted else 0.0
