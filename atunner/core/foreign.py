"""Code of the user's own that we call: a strategy, a callback. Whatever it raises is told in one line."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

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
            said = " ".join(f"{type(error).__name__}: {error}".split())[:WORDS].rstrip(".")
            raise UserError(f"{self.told} {said}. {self.advice}".rstrip()) from error
