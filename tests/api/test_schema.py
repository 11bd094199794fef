"""The OpenAPI description is true: generated requests give documented answers, and never an error of the server."""

from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from service_jobs import settings_at

from atunner.api.app import Serving, create

CASES = 15
# A name that fits the pattern and is in no table is refused with 422, so `positive_data_acceptance` does not apply.


def test_generated_requests_give_documented_answers(tmp_path: Path) -> None:
    app = create(settings_at(tmp_path), Serving(slots=0, hosts=frozenset()))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    operations: list[Any] = list(schema.get_all_operations())
    tried = [_try(found.ok()) for found in operations]
    app.state.service.jobs.close()

    assert len(tried) > 20
    assert sum(tried) > 200


def _try(operation: Any) -> int:
    """How many requests of one operation were answered as documented; fails on the first that was not."""
    count = 0

    @given(case=operation.as_strategy())
    @settings(
        max_examples=CASES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def ask(case: Any) -> None:
        nonlocal count
        case.call_and_validate(excluded_checks=[positive_data_acceptance])
        count += 1

    ask()
    return count
