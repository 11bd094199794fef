"""Which of several models to ask next: what each has brought, against what it costs."""

from collections.abc import Sequence
from math import log, sqrt

from pydantic import JsonValue

from atunner.core.ports import Voice
from atunner.core.value import Value

CURIOSITY = 0.5
"""How much a model that was asked seldom is favoured (the exploration constant of UCB1, Auer et al. 2002)."""
FREE_USD = 1e-4
"""What a call counts at least, so that a free model is cheap and not infinitely so."""


class Arm(Value):
    """What is known of one model. reward: sum over its answers, each 0 (refused) to 1 (halved the time or better)."""

    asked: int = 0
    reward: float = 0.0

    def after(self, reward: float) -> "Arm":
        """One answer later."""
        return Arm(asked=self.asked + 1, reward=self.reward + max(0.0, min(1.0, reward)))


def worth(ratio: float) -> float:
    """The reward of a verified kernel that is `ratio` times better than the best before it: 0.1 for being right."""
    return 0.1 + 0.9 * min(1.0, log(ratio, 2)) if ratio > 1 else 0.1


def choose(voices: Sequence[Voice], arms: dict[str, Arm], cost_power: float) -> list[Voice]:
    """The models, the one to ask first in front: untried ones by their cost, then reward with curiosity over cost.

    cost_power: 0 looks at rewards alone, 1 divides by the cost relative to the cheapest. A model of unknown price
    counts as the dearest.
    """
    known = [max(FREE_USD, v.usd) for v in voices if v.usd is not None]
    dearest, least = max(known, default=1.0), min(known, default=1.0)
    total = sum(arm.asked for arm in arms.values())

    def rank(voice: Voice) -> tuple[int, float]:
        cost = (dearest if voice.usd is None else max(FREE_USD, voice.usd)) / least
        arm = arms.get(voice.name, Arm())
        if arm.asked == 0:
            return (0, cost)
        value = arm.reward / arm.asked + CURIOSITY * sqrt(2 * log(max(2, total)) / arm.asked)
        return (1, -value / cost**cost_power)

    return sorted(voices, key=rank)


def arms_of(memo: JsonValue) -> dict[str, Arm]:
    """The arms that a memo holds."""
    return {name: Arm.model_validate(arm) for name, arm in memo.items()} if isinstance(memo, dict) else {}
