"""Populations of kernels: where each family lives, who breeds next, and who moves to the next island."""

import random
from collections.abc import Sequence

from pydantic import Field, JsonValue

from atunner.core.trial import Trial
from atunner.core.value import Value, content_id

FAVOUR = 0.5
"""The weight of each place in a population over the one before it: the best breeds twice as often as the second."""


class Islands(Value):
    """Which families live where. homes: family to island numbers; a family may live on several."""

    count: int
    homes: dict[str, tuple[int, ...]] = Field(default_factory=dict)

    def settled(self, families: Sequence[str]) -> "Islands":
        """With a home for every family that has none, dealt out in order."""
        homeless = [f for f in families if f not in self.homes]
        start = len(self.homes)
        dealt = {f: ((start + i) % self.count,) for i, f in enumerate(homeless)}
        return self.model_copy(update={"homes": {**self.homes, **dealt}})

    def at(self, family: str, island: int) -> "Islands":
        """With a family on an island."""
        homes = tuple(sorted({*self.homes.get(family, ()), island}))
        return self.model_copy(update={"homes": {**self.homes, family: homes}})

    def population(self, island: int, best: Sequence[Trial], size: int) -> list[Trial]:
        """The best trials, one of each family that lives here; all of them while nobody does."""
        mine = [t for t in best if island in self.homes.get(t.candidate.family, ())]
        return (mine or list(best))[:size]

    def migrated(self, best: Sequence[Trial]) -> "Islands":
        """The best family of each island on the next one too."""
        moved = self
        for island in range(self.count):
            here = self.population(island, best, 1)
            if here:
                moved = moved.at(here[0].candidate.family, (island + 1) % self.count)
        return moved


def islands_of(memo: JsonValue, count: int) -> Islands:
    """The islands that a memo holds, or empty ones."""
    return Islands.model_validate(memo) if isinstance(memo, dict) else Islands(count=count)


def draw(seed: int, *where: JsonValue) -> random.Random:
    """Chance that is the same each time that the same place in a run is reached."""
    return random.Random(int(content_id([seed, *where]), 16))


def pick(population: Sequence[Trial], chance: random.Random) -> Trial:
    """One of a population, best first: each place has FAVOUR times the weight of the one before."""
    return chance.choices(population, weights=[FAVOUR**i for i in range(len(population))])[0]
