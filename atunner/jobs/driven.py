"""How a run of handed-in work is driven where its command drives it in another way than the usual one."""

from typing import ClassVar

from pydantic import JsonValue

from atunner.core.value import Value


class Driven(Value):
    """Work as its command drives it: in rounds of so many points, by an executor."""

    executor: ClassVar[str] = "local"

    def options(self, trials: int | None) -> dict[str, JsonValue]:
        """Options of the run that differ from the usual ones; trials: of the budget."""
        return {}
