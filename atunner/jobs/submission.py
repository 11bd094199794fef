"""What a client may ask for: every field bounded, so that nothing larger than meant reaches the database."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from atunner.core.errors import UserError
from atunner.core.job import JobRequest
from atunner.core.task import MOST_RATIO, MOST_SEED, Budget
from atunner.core.value import Value
from atunner.jobs import forms
from atunner.jobs.work import KINDS, Word, Work

Label = Annotated[str, StringConstraints(pattern=forms.LABEL)]
ModelName = Annotated[str, StringConstraints(pattern=forms.MODEL)]

Option = Annotated[str, StringConstraints(pattern=forms.OPTION)]
Setting = (
    bool
    | Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)]
    | Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
    | Annotated[str, StringConstraints(max_length=80, pattern=forms.LINE)]
)


class Bounds(Value):
    """What a job may cost; trials or seconds must be set. The first trial is the baseline's."""

    trials: Annotated[int, Field(ge=2, le=1_000_000)] | None = None
    seconds: Annotated[float, Field(gt=0, le=2_592_000, allow_inf_nan=False)] | None = None
    tokens: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    usd: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.trials is None and self.seconds is None:
            raise ValueError("a budget needs trials or seconds")
        return self


class Submission(Value):
    """A job to accept. model: "" for the server's own; base URLs are the server's business and cannot be sent.

    strategy: one that the server knows by name; strategy_options: its settings.
    approval: hold it until somebody approves. approve: what a person is asked about while it runs.
    """

    task: Work
    budget: Bounds = Bounds(trials=128)
    model: ModelName = ""
    strategy: Word = "expert"
    strategy_options: Annotated[dict[Option, Setting], Field(max_length=16)] = Field(default_factory=dict)
    search: Word = "auto"
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 0
    target_ratio: Annotated[float, Field(gt=0, le=MOST_RATIO, allow_inf_nan=False)] | None = None
    labels: Annotated[dict[Label, Label], Field(max_length=16)] = Field(default_factory=dict)
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    approval: bool = False
    approve: Literal["", "plan", "candidate"] = ""

    def request(self, owner: str = "") -> JobRequest:
        """The request as the queue keeps it."""
        options = self.task.options(self.budget.trials)
        options |= {"search": self.search, "seed": self.seed, "target_ratio": self.target_ratio}
        options |= {"approve": self.approve} if self.approve else {}
        options |= {"strategy": dict(self.strategy_options)} if self.strategy_options else {}
        return JobRequest(
            task=self.task.task(),
            budget=Budget(**self.budget.model_dump()),
            options={
                "model": self.model,
                "strategy": self.strategy,
                "executor": self.task.executor,
                "options": options,
            },
            labels=self.labels,
            priority=self.priority,
            owner=owner,
            approval=self.approval,
        )


def submission_of(values: Mapping[str, Any]) -> Submission:
    """A submission from plain values.

    Raises:
        UserError: a value has another form, with its name.
    """
    try:
        return Submission.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = forms.place([part for part in first["loc"] if part not in KINDS or len(first["loc"]) < 3])
        raise UserError(f"{where}: {forms.told(first)}.") from error
