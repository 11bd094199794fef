"""One call of a language model, as it is kept: for cost, for replay, and so that no answer is paid for twice."""

from typing import Protocol

from atunner.core.task import Spent
from atunner.core.value import Value, content_id


class ModelCall(Value):
    """A request and its outcome. key: unique in its run (node, attempt and content), so a repeat is a look-up.

    outcome: ok, refused, malformed, budget, too_long or failed; `reason` says why it is not ok. usd is None when the
    price of the model is unknown. cached_tokens: how many of the input tokens were served from a cache. estimated: the
    server did not count, so we did. attempt: 0 for the question, 1 for its repair; a fallback model starts at 0 again.
    """

    key: str
    node: str = ""
    role: str = ""
    model: str
    prompt: str = ""
    answer: str | None = None
    outcome: str = "ok"
    reason: str = ""
    mode: str = ""
    attempt: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False
    usd: float | None = None
    seconds: float = 0.0
    created: str = ""

    @property
    def prompt_hash(self) -> str:
        """What was asked, as content."""
        return content_id(self.prompt)

    @property
    def answer_hash(self) -> str:
        """What was answered, as content; "" when nothing was."""
        return "" if self.answer is None else content_id(self.answer)


class CallLog(Protocol):
    """Where model calls are kept, before their answers are used."""

    def keep_call(self, run: str, call: ModelCall) -> None:
        """Keep a call; a second one of the same run and key changes nothing."""
        ...

    def call(self, run: str, key: str) -> ModelCall | None:
        """The call of that key, if it was made before."""
        ...

    def calls(self, run: str) -> list[ModelCall]:
        """All calls of a run, in the order kept."""
        ...

    def call_totals(self, run: str) -> Spent:
        """Tokens, dollars and seconds of all calls of a run."""
        ...
