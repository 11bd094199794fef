"""Code of the user's own that we call: a strategy, a callback. Whatever it raises is told in one line."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from pydantic import ValidationError

from atunner.core import wrong
from atunner.core.errors import ATunnerError, UserError

WORDS = 300


@dataclass(frozen=True)
class Foreign(AbstractContextManager[None]):
    """What is raised inside becomes a UserError: `told`, the error, `advice`; a call of sys.exit() too.

    Errors of our own, Ctrl-C and the kinds in `passing` go on as they are.

    Raises:
        UserError
    """

    told: str
    advice: str = ""
    passing: tuple[type[Exception], ...] = ()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception | SystemExit) and not isinstance(error, (ATunnerError, *self.passing)):
            said = " ".join(_words(error).split())[:WORDS].rstrip(".")
            raise UserError(f"{self.told} {said}. {self.advice}".rstrip()) from error


def _words(error: BaseException) -> str:
    """The error as it is; of a value that has another form, the first field that is wrong."""
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    first = error.errors()[0]
    return f"{error.title}: {'.'.join(map(str, first['loc']))}: {wrong.said(first)}"
