"""The page about the service names every route and every figure that there is."""

import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from atunner.jobs.work import KINDS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "service.md").read_text(encoding="utf-8")


def test_every_route_is_described(http: TestClient) -> None:
    paths: dict[str, Any] = http.get("/api/v1/openapi.json").json()["paths"]
    last = {re.sub(r"/\{[^}]*\}$", "", path).rpartition("/")[2] for path in paths}

    assert sorted(name for name in last if name not in PAGE) == []


def test_every_figure_is_described(http: TestClient) -> None:
    names = {f.name for f in text_string_to_metric_families(http.get("/metrics").text)}

    assert sorted(n for n in names if n.startswith("atunner_") and n not in PAGE) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_described(kind: str) -> None:
    assert f"| `{kind}` |" in PAGE
