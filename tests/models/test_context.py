"""A model that says how much it holds: briefs are cut to it, also in a repeat, and what cannot fit is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import TOY
from server import Server, said, serving
from support import need

from atunner.core.call import ModelCall
from atunner.core.errors import UserError
from atunner.core.record import RunRecord, RunState
from atunner.core.task import Budget, Task
from atunner.graphs.deps import Options
from atunner.graphs.request import Request
from atunner.llm.contexts import told
from atunner.llm.specs import Spec
from atunner.settings import Settings
from atunner.wiring import Session

MATMUL = Task(name="matmul", spec={"operator": "matmul", "shape": [64, 64, 64], "dtype": "float32", "settings": {}})
OPTIONS = Options(search="random", slice=40, patience=9, seed=3)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session(Settings(data=tmp_path, cache=tmp_path / "cache", database="", model="none", workers=1)) as opened:
        yield opened


def run(session: Session, server: Server, holds: int, task: Task = TOY) -> RunRecord:
    """A run of 120 trials with a model that holds so many tokens and gives no kernels."""
    server.models = (200, json.dumps({"data": [{"id": "m", "meta": {"n_ctx": holds}}]}))
    return session.start(Request(task, Budget(trials=120), OPTIONS, f"{server.url}#m", "one_prompt", "inline"))


def briefs(calls: list[ModelCall]) -> list[str]:
    """What the coder was told, repairs left out."""
    return [c.prompt for c in calls if c.role == "coder" and c.attempt == 0 and c.mode != "tools"]


def test_briefs_are_cut_to_what_a_model_holds_and_a_replay_is_told_the_same(session: Session) -> None:
    with serving(lambda _: said('{"steps": 3}')) as server:
        small, large = run(session, server, 3600), run(session, server, 100_000)
    calls = session.store.calls(small.run)
    again = session.start(session.again(small.run))

    assert small.state is RunState.DONE
    assert "too_long" not in {c.outcome for c in calls}
    assert "more left out" in briefs(calls)[-1]
    assert len(briefs(calls)[-1]) < len(briefs(session.store.calls(large.run))[-1])
    assert briefs(session.store.calls(again.run)) == briefs(calls)


def test_a_resumed_run_is_told_as_at_its_start(session: Session) -> None:
    with serving(lambda _: said('{"steps": 3}')) as server:
        first = run(session, server, 3600)
        server.models = (500, "")
        model = session._model(first, Request(TOY, Budget(trials=120)))
    assert model is not None
    assert model.contexts == {first.model: 3600}


def test_a_brief_that_cannot_fit_is_refused_before_anything_is_spent(session: Session) -> None:
    need("gcc")
    with serving(lambda _: said("{}")) as server:
        with pytest.raises(UserError, match=r"#m holds 2048 tokens and has room for a brief of \d+; the smallest"):
            run(session, server, 2048, MATMUL)
        assert server.asked == []
    assert session.store.runs() == []


def test_the_expert_asks_for_no_kernel_and_needs_no_room_for_one(session: Session) -> None:
    with serving(lambda _: said("{}")) as server:
        server.models = (200, json.dumps({"data": [{"id": "m", "max_model_len": 2048}]}))
        request = Request(TOY, Budget(trials=20), OPTIONS, f"{server.url}#m", "expert", "inline")
        done = session.start(replace(request, options=replace(OPTIONS, slice=20)))
    assert done.state is RunState.DONE
    assert "too_long" not in {c.outcome for c in session.store.calls(done.run)}


@pytest.mark.parametrize(
    ("answer", "context"),
    [
        ({"data": [{"id": "m", "meta": {"n_ctx": 4096}}]}, 4096),
        ({"data": [{"id": "other", "max_model_len": 32768}]}, 32768),
        ({"data": [{"id": "m", "max_model_len": 8192}, {"id": "b", "max_model_len": 1}]}, 8192),
        ({"data": [{"id": "m"}]}, None),
        ({"data": [{"id": "m", "meta": {"n_ctx": "many"}}]}, None),
        ([], None),
    ],
)
def test_what_a_server_tells_of_its_context(answer: object, context: int | None) -> None:
    with serving(lambda _: said("{}")) as server:
        server.models = (200, json.dumps(answer))
        assert told(Spec(kind="compatible", name="m", url=server.url)) == context
    assert told(Spec(kind="compatible", name="m", url=server.url)) is None
    assert told(Spec(kind="openai", name="gpt-4.1")) is None
