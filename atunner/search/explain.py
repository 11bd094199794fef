"""Why the winner won: importance of parameters and pairs, and what a step away from the winner costs."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from atunner.core.candidate import Params
from atunner.core.value import Value, canonical

Trials = Sequence[tuple[Params, float]]


class Importance(Value):
    """Share of the variance of the logarithm that the parameters explain (together, beyond each alone, for a pair)."""

    parameters: tuple[str, ...]
    share: float


class Step(Value):
    """A trial that differs from the winner in one parameter. ratio: its figure over the winner's."""

    parameter: str
    value: str
    ratio: float


def importances(trials: Trials) -> list[Importance]:
    """Main effects and pair interactions, largest first (functional ANOVA over the trials' group means, adjusted).

    The adjusted share subtracts what the same number of random groups would explain, so that a parameter without effect
    comes to about 0; interactions are what a pair explains beyond its two parameters.
    """
    if len(trials) < 3:
        return []
    logs = np.log([value for _, value in trials])
    names = list(trials[0][0])
    alone = {n: _explained(logs, [canonical(p[n]) for p, _ in trials]) for n in names}
    found = [Importance(parameters=(n,), share=s) for n, s in alone.items()]
    for a, b in combinations(names, 2):
        both = _explained(logs, [canonical([p[a], p[b]]) for p, _ in trials])
        found.append(Importance(parameters=(a, b), share=max(0.0, both - alone[a] - alone[b])))
    return sorted(found, key=lambda i: -i.share)


def _explained(logs: NDArray[np.float64], labels: list[str]) -> float:
    """Adjusted R squared of the group means."""
    total = float(((logs - logs.mean()) ** 2).sum())
    _, group = np.unique(labels, return_inverse=True)
    count = np.bincount(group)
    n, groups = len(logs), len(count)
    if total == 0 or groups >= n:
        return 0.0
    means = np.bincount(group, logs) / count
    within = float(((logs - means[group]) ** 2).sum())
    return max(0.0, 1 - (within / (n - groups)) / (total / (n - 1)))


def sensitivity(trials: Trials) -> list[Step]:
    """The trials one parameter away from the best, the costliest step first."""
    if not trials:
        return []
    winner, best = min(trials, key=lambda t: t[1])
    steps = []
    for params, value in trials:
        changed = [n for n in winner if params[n] != winner[n]]
        if len(changed) == 1:
            steps.append(Step(parameter=changed[0], value=str(params[changed[0]]), ratio=value / best))
    return sorted(steps, key=lambda s: -s.ratio)


def shared_by_best(trials: Trials, share: float = 0.05) -> dict[str, str]:
    """Parameter values that all trials within `share` of the best have and fewer than half of the others do."""
    if not trials:
        return {}
    best = min(value for _, value in trials)
    near = [p for p, v in trials if v <= (1 + share) * best]
    rest = [p for p, v in trials if v > (1 + share) * best]
    found = {}
    for name, value in near[0].items():
        if all(p[name] == value for p in near) and sum(p[name] == value for p in rest) < len(rest) / 2:
            found[name] = str(value)
    return found
