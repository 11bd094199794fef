"""What a person is asked before a run goes on, and what was answered."""

from enum import StrEnum

from atunner.core.errors import UnknownName
from atunner.core.value import Value, content_id

MOST_STEPS = 32
MOST_COMMENT = 2000
"""Characters of a person's comment."""


class Approved(StrEnum):
    """What waits for a person: a plan before anything is written, or a candidate before it is built."""

    PLAN = "plan"
    CANDIDATE = "candidate"


class Question(Value):
    """Asked once. lines: the steps of a plan, or what a candidate is. source: a candidate's code."""

    kind: Approved
    round: int
    title: str
    lines: tuple[str, ...] = ()
    source: str = ""

    @property
    def id(self) -> str:
        """Hash of its content, whatever the round: what was answered once is not asked again."""
        return content_id(self.model_dump(mode="json", exclude={"round"}))


class Asked(Value):
    """A question as those see it who answer it: with the id that their answer has to name."""

    id: str
    kind: Approved
    round: int
    title: str
    lines: tuple[str, ...] = ()
    source: str = ""


def told(question: Question) -> Asked:
    """A question with its id."""
    return Asked(id=question.id, **question.model_dump())


class Decision(Value):
    """A person's answer. comment: told to planner or coder. steps: a plan to follow instead of the one shown."""

    question: str
    approved: bool
    comment: str = ""
    steps: tuple[str, ...] = ()


def asked_for(text: str) -> str:
    """What `--approve` says, checked; "" asks nobody.

    Raises:
        UnknownName: something else.
    """
    if text and text not in set(Approved):
        raise UnknownName("thing to approve", text, [str(kind) for kind in Approved])
    return text
