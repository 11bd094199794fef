"""One call of a language model, as it is kept: for cost, for replay, and so that no answer is paid for twice."""

from typing import Protocol

from atunner.core.task import Spent
from atunner.core.value import Value


class ModelCall(Value):
    """A request and its outcome. key: unique in its run (node, attempt and content), so a repeat is a look-up.

    outcome: ok, refused, malformed, budget or failed. usd is None when the price of the model is unknown.
    """

    key: str
    node: str = ""
    role: str = ""
    model: str
    prompt: str = ""
    answer: str | None = None
    outcome: str = "ok"
    mode: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    seconds: float = 0.0
    created: str = ""


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
