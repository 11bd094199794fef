"""The OpenAPI description is true: generated requests give documented answers, and never an error of the server."""

import threading
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from service_jobs import settings_at, toy
from starlette.testclient import TestClient

from atunner.api.app import Serving, create
from atunner.service.perform import perform

# A name that fits the pattern and is in no table is refused with 422, so `positive_data_acceptance` does not apply.
EXCLUDED = [positive_data_acceptance]
FEW, PATIENCE_S = 85, 300
"""How long one answer may take: a busy machine is no fault of the server's."""

BOUNDS = {
    "string": ({"maxLength"}, {"pattern"}, {"enum"}, {"const"}, {"format"}),
    "integer": ({"minimum", "maximum"}, {"exclusiveMinimum", "maximum"}),
    "number": ({"minimum", "maximum"}, {"exclusiveMinimum", "maximum"}),
    "array": ({"maxItems"},),
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server with jobs that are done, that wait, and that were cancelled."""
    folder = tmp_path_factory.mktemp("schema")
    made = create(settings_at(folder), Serving(slots=0, hosts=frozenset()))
    jobs = made.state.service.jobs
    for number in range(4):
        jobs.submit(toy(number + 1, trials=12))
        perform(settings_at(folder), jobs.claim("test"), threading.Event())
    jobs.submit(toy(9).model_copy(update={"approval": True}))
    jobs.cancel(jobs.submit(toy(10)).id, "not wanted")
    yield made
    jobs.close()


@pytest.mark.parametrize(
    ("cases", "wanted"),
    [
        pytest.param(FEW, 2000, marks=pytest.mark.timeout(1800)),
        pytest.param(4500, 100_000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)]),
    ],
)
def test_generated_requests_give_documented_answers(app: Any, cases: int, wanted: int) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    operations: list[Any] = list(schema.get_all_operations())
    there = _there(app)
    tried = [_try(found.ok(), there, cases) for found in operations]

    assert len(tried) > 30
    assert sum(tried) >= wanted


def _there(app: Any) -> dict[str, list[str]]:
    """Values of path parameters that name something."""
    with TestClient(app) as http:
        jobs = http.get("/api/v1/jobs").json()["jobs"]
        found = [http.get(f"/api/v1/jobs/{job['id']}/artefacts").json() for job in jobs if job["state"] == "done"]
    files = [file for job in found for file in job]
    return {
        "job": [job["id"] for job in jobs],
        "candidate": [file["candidate"] for file in files] or ["0" * 16],
        "digest": [file["id"] for file in files] or ["0" * 64],
        "name": ["A100", "host"],
    }


def _try(operation: Any, there: dict[str, list[str]], cases: int) -> int:
    """How many requests of one operation were answered as documented; fails on the first that was not.

    Every second one names what is there. A few cases are the same each time; as many as at night are new ones.
    """
    count, same = 0, cases <= FEW
    known = {name: cycle(values) for name, values in there.items()}

    @given(case=operation.as_strategy())
    @settings(
        max_examples=cases, deadline=None, derandomize=same, database=None, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        nonlocal count
        count += 1
        if count % 2:
            case.path_parameters = {n: next(known[n]) if n in known else v for n, v in case.path_parameters.items()}
        if case.path.endswith("/events"):
            case.query = {**case.query, "follow": False}  # a job that waits tells no end
        case.call_and_validate(excluded_checks=EXCLUDED, timeout=PATIENCE_S)

    ask()
    return count


def test_everything_that_a_client_sends_is_bounded(app: Any) -> None:
    schema = app.openapi()
    loose = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                loose += _loose(schema, parameter["schema"], f"{method} {path} {parameter['name']}")
            for content in operation.get("requestBody", {}).get("content", {}).values():
                loose += _loose(schema, content["schema"], f"{method} {path}")

    assert loose == []


def _loose(schema: Any, part: Any, where: str) -> list[str]:
    """Where a string, a number or a list has no bound."""
    if "$ref" in part:
        return _loose(schema, schema["components"]["schemas"][part["$ref"].rpartition("/")[2]], where)
    found = [] if _bounded(part) else [f"{where}: {part}"]
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        found += [line for one in part.get(key, []) for line in _loose(schema, one, where)]
    for name, one in part.get("properties", {}).items():
        found += _loose(schema, one, f"{where}.{name}")
    for key in ("items", "additionalProperties"):
        found += _loose(schema, part[key], where) if isinstance(part.get(key), dict) else []
    return found


def _bounded(part: Any) -> bool:
    return any(bound <= part.keys() or "enum" in part for bound in BOUNDS.get(part.get("type", ""), (set(),)))


def test_every_route_documents_how_it_refuses(app: Any) -> None:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            assert {"401", "403", "413", "421", "422", "429", "500", "503"} <= set(operation["responses"]), (
                method,
                path,
            )
