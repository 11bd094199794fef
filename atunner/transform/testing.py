"""Testing strategies: what a kernel is tested on beside, or in place of, the inputs that the judge draws itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from atunner.core.errors import UserError
from atunner.operators.user.cases import Recipe


@dataclass(frozen=True)
class KernelTest:
    """One test. inputs: arrays and numbers by argument, or all arguments in the kernel's order (None: not given).

    expected: what is right, in the same form; left out, the original kernel says it. recipes: how to draw inputs that
    are not given. sizes: the problem's numbers where the arguments do not say them.
    """

    inputs: Mapping[str, Any] | Sequence[Any] = field(default_factory=dict)
    expected: Mapping[str, Any] | Sequence[Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True)
class ArgumentView:
    """One argument as testing strategies see it. shape: at the kernel's sizes, () for a scalar."""

    name: str
    dtype: str
    role: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class KernelView:
    """The kernel that tests are wanted for."""

    name: str
    language: str
    source: str
    arguments: tuple[ArgumentView, ...]
    sizes: Mapping[str, int]

    @property
    def inputs(self) -> tuple[ArgumentView, ...]:
        """Arrays that are read."""
        return tuple(a for a in self.arguments if a.role in ("input", "inout"))


class TestingStrategy(Protocol):
    """Gives tests; a class of your own needs no base class.

    replaces (optional, default True): its tests take the place of the inputs that the judge draws.
    """

    __test__: ClassVar[bool] = False

    def tests(self, kernel: KernelView) -> Sequence[KernelTest]:
        """The tests of a kernel."""
        ...


@dataclass(frozen=True)
class SignatureTesting:
    """Inputs drawn from the kernel's own signature: random, at several magnitudes, with ties and large negatives.

    The default, and the judge's own: nothing is written by a model. window_s: sizes that nobody gave are chosen so that
    one call of the original takes a time between these two, in seconds, as measured on this machine.
    """

    window_s: tuple[float, float] | None = None
    replaces = False

    def __post_init__(self) -> None:
        if self.window_s is not None and not 0 < self.window_s[0] < self.window_s[1]:
            raise UserError(
                f"window_s is {self.window_s}; give (least, most) in seconds, both above 0, as in (0.0005, 0.03)."
            )

    def tests(self, kernel: KernelView) -> Sequence[KernelTest]:
        """None: the judge draws them."""
        return ()


@dataclass(frozen=True)
class GivenTesting:
    """Tests of your own, as `add_test` takes them. keep_generated: the judge's random inputs are used beside them."""

    given: Sequence[KernelTest]
    keep_generated: bool = False

    @property
    def replaces(self) -> bool:
        """Whether no random inputs are drawn."""
        return not self.keep_generated

    def tests(self, kernel: KernelView) -> Sequence[KernelTest]:
        """As given."""
        return self.given


@dataclass(frozen=True)
class ModelTesting:
    """A model suggests what inputs may break a rewrite; each suggestion is admitted by the judge, or left out.

    Always an addition: the judge's own inputs stay. The model gives recipes, no code and no answers: what is right is
    said by the original kernel. most: how many are asked for. model: another one than the transformer's.
    """

    most: int = 3
    model: str = ""
    replaces = False

    def __post_init__(self) -> None:
        if not 1 <= self.most <= 8:
            raise UserError(f"ModelTesting takes 1 to 8 tests, got {self.most}.")

    def tests(self, kernel: KernelView) -> Sequence[KernelTest]:
        """None until the run begins, when the model is asked."""
        return ()


def strategies(given: object) -> tuple[TestingStrategy, ...]:
    """One strategy, several, or none as a list. Raises UserError."""
    if given is None:
        given = SignatureTesting()
    listed: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
    made = [one() if isinstance(one, type) else one for one in listed]
    for one in made:
        if not callable(getattr(one, "tests", None)):
            raise UserError(
                f"A testing strategy has a method tests(kernel), which {type(one).__name__} has not. "
                "Known: SignatureTesting, GivenTesting, ModelTesting, or a class of your own."
            )
    return tuple(made)
