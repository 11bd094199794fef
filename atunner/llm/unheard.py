"""What is said of models that were asked and never answered."""

from collections import Counter
from collections.abc import Sequence

from atunner.core.call import ModelCall
from atunner.llm.tooling import TOOL


def unheard(calls: Sequence[ModelCall]) -> str:
    """One line where no call brought a valid answer, with the last reason; "" where one did or none was made."""
    asked = [call for call in calls if not call.model.startswith(TOOL)]
    if not asked or any(call.outcome == "ok" for call in asked):
        return ""
    counted = ", ".join(f"{number} {outcome}" for outcome, number in sorted(Counter(c.outcome for c in asked).items()))
    why = " ".join(asked[-1].reason.split())
    return f"no valid answer in {len(asked)} calls ({counted}; the last: {why}), so the rules decided alone"
