"""The contract of every searcher in the table."""

import json
from importlib.util import find_spec

import pytest
from pydantic import JsonValue
from search.spaces import TILES, cost
from support import need

from atunner.core.candidate import Params
from atunner.core.errors import UnknownName, UserError
from atunner.core.space import Parameter, Space
from atunner.search import BUILT_IN, SearchSpace, Source, searcher
from atunner.search.ask_tell import AskTell

SPACE = SearchSpace(TILES)
BEST = min(c for c in (cost(SPACE.params(i)) for i in range(len(SPACE))) if c is not None)
HUGE = Space(parameters=tuple(Parameter(name=f"p{i}", values=tuple(range(10))) for i in range(9)))
every = pytest.mark.parametrize("name", sorted(BUILT_IN))


@pytest.fixture(autouse=True)
def package(request: pytest.FixtureRequest) -> None:
    """One of the searchers needs a package that not every machine has."""
    call = getattr(request.node, "callspec", None)
    if call is not None and call.params.get("name") == "kernel_tuner":
        need("kernel_tuner", present=find_spec("kernel_tuner") is not None)


def tune(search: AskTell, budget: int, batch: int = 1) -> list[Params]:
    asked: list[Params] = []
    while len(asked) < budget:
        points = search.ask(min(batch, budget - len(asked)))
        if not points:
            break
        for params in points:
            search.tell(params, cost(params))
        asked += points
    return asked


@every
def test_the_same_seed_asks_the_same(name: str) -> None:
    runs = [tune(searcher(name, SPACE, seed), 60) for seed in (3, 3)]

    assert runs[0] == runs[1]


@every
def test_it_goes_on_from_its_state_as_if_nothing_had_happened(name: str) -> None:
    whole = searcher(name, SPACE, 5)
    tune(whole, 40)
    kept: JsonValue = json.loads(json.dumps(whole.state()))
    resumed = searcher(name, SPACE, 0, state=kept)

    assert tune(resumed, 40) == tune(whole, 40)
    assert resumed.state() == whole.state()


@every
@pytest.mark.parametrize("batch", [1, 7])
def test_it_asks_every_point_once_and_then_ends(name: str, batch: int) -> None:
    small = SearchSpace(TILES.narrowed({"block_x": (16, 32), "tile": (1, 4), "layout": ("row", "column")}))
    search = searcher(name, small, 1)
    asked = [small.point(p) for p in tune(search, 10_000, batch)]

    assert sorted(asked) == list(range(len(small)))
    assert search.ask(5) == []


@every
def test_it_survives_nothing_but_failures(name: str) -> None:
    search = searcher(name, SPACE, 2)
    for _ in range(40):
        for params in search.ask(2):
            search.tell(params, None)

    assert len(search.ask(3)) == 3


@every
def test_what_is_pending_is_not_asked_again(name: str) -> None:
    search = searcher(name, SPACE, 4)
    asked = [SPACE.point(p) for _ in range(12) for p in search.ask(4)]
    resumed = searcher(name, SPACE, 4, state=search.state())
    asked += [SPACE.point(p) for p in resumed.ask(4)]

    assert len(set(asked)) == len(asked) == 52


@every
def test_a_point_told_unasked_is_not_asked(name: str) -> None:
    small = SearchSpace(TILES.narrowed({"tile": (1, 4), "layout": ("row",)}))
    search = searcher(name, small, 6)
    given = small.params(11)
    search.tell(given, 1.5)

    assert given not in tune(search, len(small))


@every
def test_one_point_is_a_space(name: str) -> None:
    single = Space(parameters=(Parameter(name="a", values=(1,)),))
    search = searcher(name, single, 0)

    assert search.ask(3) == [{"a": 1}]
    search.tell({"a": 1}, 2.0)
    assert search.ask(3) == []


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"exhaustive", "kernel_tuner"}))
def test_a_space_too_large_to_build_is_searched(name: str) -> None:
    built = SearchSpace(HUGE, limit=100_000)
    search = searcher(name, built, 1)
    seen = []
    for _ in range(30):
        for params in search.ask(2):
            search.tell(params, 1.0 + sum(int(str(v)) for v in params.values()))
            seen.append(built.point(params))
    resumed = searcher(name, SearchSpace(HUGE, limit=100_000), 1, state=search.state())

    assert len(set(seen)) == 60
    assert len(resumed.ask(1)) == 1


def test_a_space_too_large_to_build_is_not_exhausted() -> None:
    with pytest.raises(UserError, match="too many to try all"):
        searcher("exhaustive", SearchSpace(HUGE, limit=100_000), 1).ask(1)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"exhaustive", "random"}))
def test_it_learns_better_than_chance(name: str) -> None:
    found = []
    for seed in range(5):
        figures = [cost(p) for p in tune(searcher(name, SPACE, seed), 80)]
        found.append(min(f for f in figures if f is not None))

    assert sorted(found)[2] <= 1.03 * BEST


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"exhaustive", "kernel_tuner"}))
def test_history_is_tried_first_and_filters_nothing(name: str) -> None:
    points = [SPACE.params(i) for i in range(len(SPACE))]
    other = Source("other device", tuple((p, cost(p)) for p in points if p["layout"] == "swizzled"))
    search = searcher(name, SPACE, 3, history=[other])
    asked = tune(search, 60, batch=5)

    assert cost(asked[0]) == BEST
    assert any(p["layout"] != "swizzled" for p in asked)


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - {"exhaustive"}))
def test_a_model_that_misleads_costs_little(name: str) -> None:
    search = searcher(name, SPACE, 3, prior=lambda p: 1 / (cost(p) or 9.0))
    figures = [cost(p) for p in tune(search, 100)]

    assert min(f for f in figures if f is not None) <= 1.25 * BEST


def test_an_unknown_searcher_is_named() -> None:
    with pytest.raises(UnknownName, match="No searcher named 'genetics'"):
        searcher("genetics", SPACE, 0)


@pytest.mark.parametrize(
    "state", [3, {}, {"name": "local"}, {"name": "random", "seed": 1, "asks": 0, "told": [[[99] * 5, 1.0]]}]
)
def test_a_foreign_state_is_refused(state: JsonValue) -> None:
    with pytest.raises(UserError, match="Not a state"):
        searcher("random", SPACE, 0, state=state)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_must_be_a_number(value: float) -> None:
    search = searcher("random", SPACE, 0)
    with pytest.raises(UserError, match="Not a figure"):
        search.tell(search.ask(1)[0], value)


def test_beliefs_that_lead_nowhere_are_forgotten_and_a_resumed_search_goes_the_same_way() -> None:
    space = Space(parameters=tuple(Parameter(name=n, values=tuple(range(1, 7))) for n in "abc"))
    built = SearchSpace(space)
    history = [Source("another", [(built.params(i), float(i + 1)) for i in range(len(built))])]
    search = searcher("auto", built, 1, history=history)
    for turn in range(60):
        for params in search.ask(1):
            search.tell(params, 1.0 + turn)
        if turn == 30:
            assert "alone" not in json.dumps(search.state())
    resumed = searcher("auto", built, 1, history=history, state=search.state())

    assert "alone" in json.dumps(search.state())
    assert resumed.ask(3) == search.ask(3)
