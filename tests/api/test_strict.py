"""One rule for what is wrong: 422 and words that say what was expected; and nothing that can be read in two ways."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from atunner.core.errors import UserError
from atunner.jobs import forms
from atunner.jobs.submission import submission_of

JOBS = "/api/v1/jobs"
TOY: dict[str, Any] = {"task": {"kind": "toy"}, "budget": {"trials": 4}}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b"\xff\xfe", "expected JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"", "is missing"),
        (b"null", "an object with fields"),
        (b"{", "expected JSON"),
        (b'{"task": NaN}', "NaN is not a number"),
        (b'{"approval": false, "approval": true, "task": {"kind": "toy"}}', "the name 'approval' stands twice"),
        (b'{"task": {"kind": "toy", "floor": 1, "floor": 2}}', "the name 'floor' stands twice"),
    ],
)
def test_a_body_that_is_not_what_was_expected_is_one_status(http: TestClient, body: bytes, said: str) -> None:
    answer = http.post(JOBS, content=body, headers=JSON)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert said in answer.json()["detail"]
    assert http.get(JOBS).json()["total"] == 0


def test_a_body_of_another_type_is_told_which_one_is_expected(http: TestClient) -> None:
    answer = http.post(JOBS, content=b'{"task": {"kind": "toy"}}', headers={"content-type": "text/plain"})

    assert (answer.status_code, "Content-Type: application/json" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{JOBS}?stat=done", "No parameter named 'stat'. Did you mean state"),
        (f"{JOBS}?limit=1&limit=2", "query.limit: expected one, got 2"),
        ("/healthz?x=1", "takes no parameters; got 'x'"),
        (f"{JOBS}/abc", "expected an id of 16 hex digits; got 'abc'"),
        (f"{JOBS}?label=x", "expected NAME=VALUE; got 'x'"),
        ("/api/v1/artefacts/x", "expected a SHA-256 of 64 hex digits; got 'x'"),
    ],
)
def test_a_parameter_that_is_unknown_double_or_wrong_is_refused(http: TestClient, path: str, said: str) -> None:
    answer = http.get(path)

    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_a_parameter_that_may_be_repeated_is(http: TestClient) -> None:
    assert http.get(f"{JOBS}?state=done&state=failed&label=a=b&label=c=d").status_code == 200


@pytest.mark.parametrize("part", ["nothing", "candidates", "tab/nothing"])
def test_a_page_that_is_not_there_is_not_found(http: TestClient, part: str) -> None:
    job = http.post(JOBS, json=TOY).json()["id"]
    answer = http.get(f"/jobs/{job}/{part}")

    assert answer.status_code == 404
    assert http.get(f"{JOBS}/{job}/nothing").json()["detail"] == f"There is nothing at {JOBS}/{job}/nothing."
    assert http.get(f"/jobs/{job}/cancel").json()["detail"] == f"/jobs/{job}/cancel takes POST, not GET."


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": {"kind": "operator", "operator": "a/b"}},
        {"task": {"kind": "ir", "files": {"x.py": "y"}}},
        {"task": {"kind": "ir", "files": {"x.c": "y"}, "cflags": ["-O3"]}},
        {"task": {"kind": "ir", "files": {"x.c": "y"}, "kernel": "a b"}},
        {"model": "http://inside#m"},
        {"labels": {"a": "b\x00"}},
    ],
)
def test_nobody_has_to_read_a_pattern(http: TestClient, wrong: dict[str, Any]) -> None:
    told = http.post(JOBS, json={**TOY, **wrong}).json()["detail"]
    with pytest.raises(UserError, match="expected") as alone:
        submission_of({**TOY, **wrong})

    for text in (told, str(alone.value)):
        assert "expected" in text
        assert not any(pattern in text for pattern in forms.EXPECTED)
        assert "pattern" not in text


def test_every_pattern_has_words(http: TestClient) -> None:
    def patterns(part: Any) -> set[str]:
        if isinstance(part, list):
            return {found for one in part for found in patterns(one)}
        if not isinstance(part, dict):
            return set()
        own = {part["pattern"]} if isinstance(part.get("pattern"), str) else set()
        return own | {found for one in part.values() for found in patterns(one)}

    found = patterns(http.get("/api/v1/openapi.json").json())

    assert len(found) > 8
    assert found - set(forms.EXPECTED) == set()
