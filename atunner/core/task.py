"""What to optimise, and what it may cost."""

from typing import Any, Self

from pydantic import Field, JsonValue, ModelWrapValidatorHandler, ValidationError, model_validator

from atunner.core import wrong
from atunner.core.errors import UserError
from atunner.core.value import Value, content_id


class Objective(Value):
    """The figure to improve."""

    metric: str = "time"
    unit: str = "us"
    minimise: bool = True

    def better(self, a: float, b: float) -> bool:
        """Whether the bare number `a` is nearer to the goal than `b`; for claims use `statistics.is_better`."""
        return a < b if self.minimise else a > b

    def ratio(self, old: float, new: float) -> float:
        """How many times better `new` is than `old`; 1 when one of them is zero, so that nothing can be said."""
        if not old or not new:
            return 1.0
        return old / new if self.minimise else new / old


MOST = 10**12
"""Trials or tokens that a budget may have; more fits no column of a database."""
MOST_SEED = 2_147_483_647
MOST_RATIO = 1_000_000
"""Nothing gets so much faster; a search that should stop there would never stop."""


class Budget(Value):
    """Upper bounds; None is unlimited, but one bound at least must be set.

    trials: candidates judged or screened. seconds: wall time of the run. tokens, usd: model use.
    """

    trials: int | None = Field(default=None, gt=0, le=MOST)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    tokens: int | None = Field(default=None, gt=0, le=MOST)
    usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _told(cls, given: Any, make: ModelWrapValidatorHandler[Self]) -> Self:
        """Raises UserError: which bound is wrong, and how."""
        try:
            made = make(given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            known = f" Known: {', '.join(cls.model_fields)}." if first["type"] == "extra_forbidden" else ""
            raise UserError(f"A budget's {name}: {wrong.said(first)}; leave it out for no bound.{known}") from error
        if made.trials is None and made.seconds is None:
            raise UserError("A budget needs trials or seconds: without either a run has no end. Set one, or both.")
        return made


def bounded(budget: object, trials: int) -> Budget:
    """The budget that was given, or one of so many trials where none was.

    Raises:
        UserError: it is no budget.
    """
    if budget is None:
        return Budget(trials=trials)
    if not isinstance(budget, Budget):
        raise UserError(f"budget takes a Budget, as in Budget(trials=64, usd=2.0); got {budget!r}.")
    return budget


class Spent(Value):
    """What a run has used so far; the same fields as Budget."""

    trials: int = 0
    seconds: float = 0.0
    tokens: int = 0
    usd: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """The sum, field by field."""
        return Spent(
            trials=self.trials + other.trials,
            seconds=self.seconds + other.seconds,
            tokens=self.tokens + other.tokens,
            usd=self.usd + other.usd,
        )

    def over(self, budget: Budget) -> str | None:
        """The name of the first bound that is reached, or None."""
        for name in ("trials", "seconds", "tokens", "usd"):
            bound = getattr(budget, name)
            if bound is not None and getattr(self, name) >= bound:
                return name
        return None


class Task(Value):
    """What to optimise: `spec` is validated by the domain, `target` is a device name or "host"."""

    domain: str = "kernels"
    name: str
    spec: dict[str, JsonValue] = Field(default_factory=dict)
    objective: Objective = Objective()
    target: str = "host"

    @property
    def id(self) -> str:
        """Hash of what is asked: domain, spec, objective and target; the name does not count."""
        return content_id(self.model_dump(mode="json", exclude={"name"}))
