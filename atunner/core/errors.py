"""Three kinds of error: the candidate's (data), the world's (resume later), the user's (mend the task)."""

import difflib
from collections.abc import Iterable
from typing import ClassVar

from atunner.core.status import Status


class ATunnerError(Exception):
    """Base of every error raised on purpose; its text is one line for the user."""

    exit_code: ClassVar[int] = 1


class CandidateError(ATunnerError):
    """The candidate failed a stage; the judge turns this into a Trial."""

    status: ClassVar[Status]


class Rejected(CandidateError):
    """The static gate refused the candidate, or its own clock contradicted ours."""

    status = Status.REJECTED


class NotBuilt(CandidateError):
    """The compiler refused the candidate."""

    status = Status.NOT_BUILT


class Wrong(CandidateError):
    """The candidate computed something else than the reference, or cheated."""

    status = Status.WRONG


class Crashed(CandidateError):
    """The candidate's process died."""

    status = Status.CRASHED


class TimedOut(CandidateError):
    """The candidate did not end in its time."""

    status = Status.TIMED_OUT


class NotVerified(CandidateError):
    """The checker cannot run this candidate, so nothing is known of its results."""

    status = Status.NOT_VERIFIED


class NotMeasured(CandidateError):
    """Verified, but the device gave no figure."""

    status = Status.NOT_MEASURED


class ToolError(ATunnerError):
    """The world's fault: a program is missing, hung or gone. The run stops and can be resumed."""

    exit_code = 3


class UserError(ATunnerError):
    """The request is wrong; found before anything starts."""

    exit_code = 2


class Interrupted(ATunnerError):
    """The user stopped the run; everything done so far is kept."""

    exit_code = 130


class UnknownName(UserError):
    """A name that is in no table: says which are near and which there are."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=3, cutoff=0.5)
        meant = [n for n in names if n.lower() in near]
        hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
        super().__init__(f"No {kind} named {name!r}.{hint} Known: {', '.join(names)}.")
