"""A server that misbehaves: nothing is lost, leaked or overspent, and every bad answer is on record."""

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue
from server import said, serving

from atunner.agents.evaluation import Decision, Verdict
from atunner.core.consult import Toolbox
from atunner.core.errors import UserError
from atunner.knowledge_base.store import Store
from atunner.llm import Terms, model
from atunner.llm.preflight import check
from atunner.llm.prices import price

RUN = "a-run"
KEY = "sk-very-secret-0123456789"
GOOD = '{"decision": "confirm", "reason": "done"}'
PROMPT = "Go on or confirm?"

BAD: dict[str, Callable[[dict[str, Any]], tuple[int, str]]] = {
    "429": lambda _: (429, '{"error": {"message": "slow down"}}'),
    "500": lambda _: (500, "oops"),
    "401": lambda _: (401, '{"error": {"message": "Incorrect API key provided: ' + KEY + '"}}'),
    "not json": lambda _: (200, "<html>hello</html>"),
    "other json": lambda _: (200, "[1, 2]"),
    "no choices": lambda _: (200, '{"choices": []}'),
    "truncated": lambda _: said('{"decision": "conf'),
    "endless": lambda _: said("la " * 20_000, (20, 40_000)),
    "fences": lambda _: said("```json\n{}\n```"),
    "wrong schema": lambda _: said('{"decision": "maybe", "reason": 3}'),
    "empty": lambda _: said(""),
    "only thoughts": lambda _: said("<think>" + GOOD),
    "key in the answer": lambda _: said(f"your key is {KEY}"),
}


def ask(url: str, store: Store, **terms: Any) -> Verdict | None:
    """One question to the server's model."""
    asked = model(f"{url}#m", RUN, store, Terms(key=KEY, retry_s=0.0, limit_s=5.0, **terms))
    assert asked is not None
    return asyncio.run(asked.ask("evaluation", PROMPT, Verdict))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_recorded_and_is_no_crash(name: str, store: Store) -> None:
    with serving(BAD[name]) as server:
        assert ask(server.url, store) is None
    calls = store.calls(RUN)

    assert calls
    assert all(c.outcome in ("failed", "malformed", "refused") and c.reason for c in calls)
    assert KEY not in json.dumps([c.model_dump(mode="json") for c in calls])


@pytest.mark.parametrize(
    "text",
    [GOOD, f"<think>hm {{</think>{GOOD}", f"Sure!\n```json\n{GOOD}\n```", f"{{broken {GOOD}", f'{{"a": 1}} {GOOD}'],
)
def test_a_good_answer_is_found_in_what_surrounds_it(text: str, store: Store) -> None:
    with serving(lambda _: said(text)) as server:
        found = ask(server.url, store)
    assert found is not None
    assert found.decision is Decision.CONFIRM


def test_a_server_without_schemas_is_asked_in_plainer_ways_and_that_is_remembered(store: Store) -> None:
    def plain(body: dict[str, Any]) -> tuple[int, str]:
        if "response_format" in body or "tools" in body:
            return 400, '{"error": {"message": "unsupported"}}'
        return said(GOOD)

    with serving(plain) as server:
        asked = model(f"{server.url}#m", RUN, store, Terms(retry_s=0.0))
        assert asked is not None

        async def twice() -> list[Verdict | None]:
            return [await asked.ask("evaluation", prompt, Verdict) for prompt in ("one", "two")]

        assert all(asyncio.run(twice()))
        tried = len(server.asked)

    assert tried == 5
    assert [c.mode for c in store.calls(RUN)] == ["text", "text"]


class Silence:
    """A tool that nobody calls."""

    name = "silence"
    description = "Says nothing."
    parameters: dict[str, JsonValue] = {}  # noqa: RUF012

    def __call__(self, /, **arguments: JsonValue) -> JsonValue:
        return None


@pytest.mark.parametrize("tools", [False, True])
def test_a_small_model_is_asked_for_shorter_answers_and_that_is_remembered(tools: bool, store: Store) -> None:
    def answer(body: dict[str, Any]) -> tuple[int, str]:
        if body["max_tokens"] <= 3000:
            return said(GOOD)
        why = "This model's maximum context length is 4096 tokens. However, you requested more."
        return 400, json.dumps({"error": {"message": why}})

    with serving(answer) as server:
        asked = model(f"{server.url}#m", RUN, store, Terms(retry_s=0.0, limit_s=5.0))
        assert asked is not None
        kit = Toolbox(Silence(), limit=16 if tools else 0)
        for question in (PROMPT, PROMPT + PROMPT):
            assert asyncio.run(asked.ask_with("evaluation", question, Verdict, kit)) is not None
        sizes = [body["max_tokens"] for body in server.asked]

    assert sizes == [8192, 4096, 2048, 2048]
    assert [c.outcome for c in store.calls(RUN)] == ["ok", "ok"]


def test_a_model_that_holds_no_brief_says_why(store: Store) -> None:
    with serving(lambda _: (400, '{"error": {"message": "the context length is 200 tokens"}}')) as server:
        assert ask(server.url, store) is None
        assert min(body["max_tokens"] for body in server.asked) == 256
    (call,) = store.calls(RUN)

    assert call.outcome == "too_long"
    assert "the context length is 200 tokens" in call.reason


def test_the_repair_tells_the_validators_words(store: Store) -> None:
    answers = iter([said('{"decision": "maybe", "reason": "x"}'), said(GOOD)])
    with serving(lambda _: next(answers)) as server:
        assert ask(server.url, store) is not None
        second = server.asked[1]["messages"][0]["content"]

    assert "'continue' or 'confirm'" in second
    assert [c.outcome for c in store.calls(RUN)] == ["malformed", "ok"]
    assert [c.attempt for c in store.calls(RUN)] == [0, 1]


def test_what_was_answered_is_not_asked_again(store: Store) -> None:
    with serving(lambda _: said(GOOD)) as server:
        first, second = ask(server.url, store), ask(server.url, store)
        assert len(server.asked) == 1
    assert first == second


def test_what_failed_is_asked_again_by_the_next_process(store: Store) -> None:
    answers = iter([(500, ""), (500, ""), (500, ""), said(GOOD)])
    with serving(lambda _: next(answers)) as server:
        assert ask(server.url, store) is None
        assert ask(server.url, store) is not None
    assert [c.outcome for c in store.calls(RUN)] == ["failed", "ok"]


def test_the_next_model_is_asked_when_the_first_gives_nothing(store: Store) -> None:
    with serving(BAD["500"]) as down, serving(lambda _: said(GOOD)) as up:
        asked = model(f"{down.url}#a+{up.url}#b", RUN, store, Terms(retry_s=0.0))
        assert asked is not None
        assert asyncio.run(asked.ask("evaluation", PROMPT, Verdict)) is not None
    assert [c.outcome for c in store.calls(RUN)] == ["failed", "ok"]


def test_roles_have_models_of_their_own(store: Store) -> None:
    with serving(lambda _: said(GOOD)) as server:
        asked = model(f"critic={server.url}#a", RUN, store, Terms())
        assert asked is not None
        assert asyncio.run(asked.ask("evaluation", PROMPT, Verdict)) is not None
        assert asyncio.run(asked.ask("coder", PROMPT, Verdict)) is None
        assert len(server.asked) == 1


@pytest.mark.parametrize("seed", range(4))
def test_the_budget_is_overshot_by_one_call_at_most(seed: int, tmp_path: Path) -> None:
    """Fifty random runs a seed; the server may ignore the bound on an answer's length."""
    from fakes import TOY

    from atunner.core.record import RunRecord, RunState
    from atunner.core.task import Budget

    rng = random.Random(seed)
    kinds = ["429", "truncated", "wrong schema", "empty", "fences"]

    def random_answer(body: dict[str, Any]) -> tuple[int, str]:
        if rng.random() < 0.5:
            return BAD[rng.choice(kinds)](body)
        return said(GOOD, (rng.randrange(10, 400), rng.randrange(5, 900)))

    with serving(random_answer) as server, Store("sqlite://") as store:
        for number in range(50):
            run, budget = f"run-{number}", rng.randrange(200, 4000)
            store.save_run(RunRecord(run=run, task=TOY, state=RunState.RUNNING, budget=Budget(trials=1)))
            asked = model(f"{server.url}#m", run, store, Terms(tokens=budget, retry_s=0.0))
            assert asked is not None

            async def all_at_once(asked: Any = asked) -> None:
                for turn in range(3):
                    await asyncio.gather(*(asked.ask("critic", f"{turn} {n}", Verdict) for n in range(2)))

            asyncio.run(all_at_once())
            tokens = [c.input_tokens + c.output_tokens for c in store.calls(run)]
            assert sum(tokens) - max(tokens) <= budget


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "- {model: m, input: -1, output: 1, date: 2026-01-01, source: s}",
            "line 1 of the list, input: expected at least 0",
        ),
        ("- {model: m, input: .nan, output: 1, date: 2026-01-01, source: s}", "input: expected"),
        ("- {model: m, input: 1}", "output: "),
        ("m: 1", "expected a list"),
        ("[[", "while parsing"),
    ],
)
def test_wrong_prices_are_one_line_that_names_the_place(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(text)
    with pytest.raises(UserError) as told:
        price("m", tmp_path / "prices.yaml")

    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_a_dollar_budget_needs_a_price_and_holds(store: Store, tmp_path: Path) -> None:
    with serving(lambda _: said(GOOD, (100, 100))) as server:
        with pytest.raises(UserError, match="which is unknown"):
            model(f"{server.url}#m", RUN, store, Terms(usd=1.0))
        own = tmp_path / "prices.yaml"
        own.write_text(f'- {{model: "{server.url}#m", input: 1000, output: 1000, date: 2026-01-01, source: test}}\n')
        asked = model(f"{server.url}#m", RUN, store, Terms(usd=1.0, prices=own))
        assert asked is not None

        async def many() -> None:
            for n in range(20):
                await asked.ask("critic", f"{PROMPT} {n}", Verdict)

        asyncio.run(many())
    spent = store.call_totals(RUN)
    assert 0.2 <= spent.usd <= 1.0
    assert store.calls(RUN)[-1].outcome == "budget"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://127.0.0.1:9/v1#m", "No server answers"),
        ("http://127.0.0.1:9/v1", "name the model after a '#'"),
        ("openai:gpt-4.1", "needs a key"),
        ("gguf:/no/such/file.gguf", "Cannot read the model"),
        ("replay:no-run", "no recorded model calls"),
        ("poet=openai:x", "No role named 'poet'"),
        ("gpt", "Expected none, openai:NAME"),
    ],
)
def test_a_model_that_cannot_be_is_one_line(text: str, says: str, store: Store) -> None:
    def both() -> None:
        model(text, RUN, store, Terms())
        check(text)

    with pytest.raises(UserError, match=says) as error:
        both()
    assert "\n" not in str(error.value)


def test_a_refused_key_is_found_before_anything_is_spent(store: Store) -> None:
    with serving(BAD["500"]) as server:
        server.models = (401, "{}")
        with pytest.raises(UserError, match="refuses the key"):
            check(f"{server.url}#m", "wrong")
        server.models = (200, json.dumps({"data": [{"id": "m", "meta": {"n_ctx": 512}}]}))
        with pytest.raises(UserError, match="holds 512 tokens"):
            check(f"{server.url}#m")


def test_a_server_that_is_broken_is_named_and_one_without_a_list_is_taken(store: Store) -> None:
    with serving(BAD["500"]) as server:
        server.models = (503, "loading")
        with pytest.raises(UserError, match=r"an error of its own \(503\)"):
            check(f"{server.url}#m")
        server.models = (404, "{}")
        check(f"{server.url}#m")


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        ([{"id": "m"}], True),
        ([{"id": "other"}], True),
        ([{"id": "other", "owned_by": "vllm"}], False),
        ([{"id": "a"}, {"id": "b"}], False),
        ([{"id": "a"}, {"id": "m"}], True),
    ],
)
def test_an_unknown_model_is_found_where_the_server_looks_at_names(listed: list[dict[str, str]], known: bool) -> None:
    with serving(BAD["500"]) as server:
        server.models = (200, json.dumps({"data": listed}))
        said = ""
        try:
            check(f"{server.url}#m")
        except UserError as error:
            said = str(error)

    assert (said == "") is known
    assert known or "has no model 'm'. It has " in said


def test_a_replay_gives_the_recorded_answers_and_names_the_first_divergence(store: Store) -> None:
    from fakes import TOY

    from atunner.core.record import RunRecord, RunState
    from atunner.core.task import Budget

    with serving(
        lambda body: said(json.dumps({"decision": "confirm", "reason": body["messages"][0]["content"]}))
    ) as up:
        first = model(f"{up.url}#m", RUN, store, Terms())

        async def fifty(asked: Any, prompts: list[str]) -> list[Verdict | None]:
            return [await asked.ask("critic", prompt, Verdict) for prompt in prompts]

        prompts = [f"prompt {n}" for n in range(50)]
        recorded = asyncio.run(fifty(first, prompts))
    store.save_run(RunRecord(run="again", task=TOY, state=RunState.RUNNING, budget=Budget(trials=1)))
    diverged: list[tuple[str, int]] = []
    told = Terms(diverged=lambda role, number: diverged.append((role, number)))
    replay = model(f"replay:{RUN}", "again", store, told)
    prompts[30], prompts[40] = "another", "one more"

    assert asyncio.run(fifty(replay, prompts)) == recorded
    assert diverged == [("critic", 31)]
    assert [c.answer_hash for c in store.calls("again")] == [c.answer_hash for c in store.calls(RUN)][:50]
