"""Searchers over constrained spaces: a searcher is one file and one line here."""

import inspect
from collections.abc import Sequence
from typing import cast

from pydantic import JsonValue

from atunner.core.errors import UserError
from atunner.core.plugins import load, names
from atunner.core.space import Space
from atunner.search.ask_tell import AskTell, Method
from atunner.search.ledger import Ledger
from atunner.search.prior import Predictor, Source, from_predictor, from_source
from atunner.search.space import SearchSpace

BUILT_IN = {
    "auto": "atunner.search.auto:Auto",
    "random": "atunner.search.random_order:RandomOrder",
    "exhaustive": "atunner.search.exhaustive:Exhaustive",
    "local": "atunner.search.local:LocalSearch",
    "genetic": "atunner.search.genetic:Genetic",
    "evolution": "atunner.search.evolution:DifferentialEvolution",
    "annealing": "atunner.search.annealing:Annealing",
    "bayesian": "atunner.search.bayesian:Bayesian",
    "kernel_tuner": "atunner.search.kernel_tuner:KernelTuner",
}

__all__ = ["BUILT_IN", "SearchSpace", "Source", "known", "method", "searcher"]


def method(name: str) -> Method:
    """The method of a searcher by name; what follows a colon, as in `kernel_tuner:pso`, is for the method to read.

    Raises:
        UnknownName: no such searcher. UserError: it takes no such option, or a package that it needs is missing.
    """
    if not isinstance(name, str):
        raise UserError(f"A searcher is given by its name, got {name!r}. Known: {', '.join(known())}.")
    base, colon, option = name.partition(":")
    kind = load("searchers", base, BUILT_IN)
    if not colon:
        return cast(Method, kind())
    if not inspect.signature(kind).parameters:
        raise UserError(f"The searcher {base!r} takes no options; got {name!r}.")
    return cast(Method, kind(option))


def searcher(
    name: str,
    space: Space | SearchSpace,
    seed: int,
    prior: Predictor | None = None,
    history: Sequence[Source] = (),
    state: JsonValue = None,
) -> AskTell:
    """A searcher by name, ready to ask and tell; from `state` it goes on where that searcher was.

    prior: relative scores from a ranking model. history: records of other devices or shapes of the same kernel. Both
    say where to look first and are never a filter; searchers that cannot use them more cleverly start with their best.

    Raises:
        UnknownName: no such searcher.
        UserError: the space has no valid configuration, or the state is of another searcher or space.
    """
    built = space if isinstance(space, SearchSpace) else SearchSpace(space)
    beliefs = [from_source(built, s) for s in history]
    beliefs += [from_predictor(built, prior)] if prior is not None else []
    made = AskTell(name, method(name), Ledger(built, beliefs=tuple(beliefs)), seed)
    if state is not None:
        made.restore(state)
    return made


def known() -> list[str]:
    """All searcher names."""
    return names("searchers", BUILT_IN)
