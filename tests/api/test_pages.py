"""The dashboard without scripts: every page shows what the record holds, and forms do what the API does."""

import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from starlette.testclient import TestClient

from atunner.core.job import Job

PAGE = {"accept": "text/html"}
SAME = {**PAGE, "origin": "http://127.0.0.1"}


def post(http: TestClient, path: str, **fields: str) -> str:
    answer = http.post(path, data=fields, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_job_goes_from_the_form_to_its_page(http: TestClient, work: Callable[[], Job]) -> None:
    assert "No jobs yet" in http.get("/").text
    key = re.search(r'name="key" value="([^"]+)"', http.get("/submit").text)
    assert key is not None
    fields = {"kind": "toy", "floor": "2", "trials": "24", "labels": "team=a, week=7", "key": key[1]}
    place = post(http, "/submit", **fields)

    assert post(http, "/submit", **fields) == place
    assert "Waiting for a free worker" in http.get(place).text
    work()
    done, listed = http.get(place).text, http.get("/").text
    assert "24 of 24" in done
    assert "All figures on this page are <strong>simulated</strong>" in done
    assert 'class="best"' in done
    assert "Round 1" in done
    assert "team: a" in listed
    assert "255" in done or "2 us" in done


def test_a_diff_and_a_candidate_have_pages(http: TestClient, work: Callable[[], Job]) -> None:
    place = post(http, "/submit", kind="toy", floor="1", trials="24")
    work()
    links = re.findall(r'href="(/jobs/[0-9a-f]{16}/(?:diff\?new=|candidates/)[0-9a-f]{16})"', http.get(place).text)

    assert len(links) > 3
    for link in links:
        assert http.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "operator", "operator": "matmul", "shape": "1,2,oops"}, "Shape takes whole numbers"),
        ({"kind": "operator", "operator": "matmul", "settings": "kernel"}, "Settings takes name=value"),
        ({"kind": "toy", "trials": ""}, "a budget needs trials or seconds"),
        ({"kind": "toy", "priority": "1000"}, "priority"),
        ({"kind": "operator", "operator": "<script>alert(1)</script>"}, "operator"),
    ],
)
def test_a_wrong_form_comes_back_filled_in(http: TestClient, fields: dict[str, str], said: str) -> None:
    answer = http.post("/submit", data={"labels": "kept=yes", **fields}, headers=SAME)

    assert answer.status_code == 422
    assert said in answer.text
    assert "kept=yes" in answer.text
    assert "<script>alert" not in answer.text


def test_buttons_change_the_job(http: TestClient) -> None:
    place = post(http, "/submit", kind="toy", approval="yes")

    assert "Approve" in http.get(place).text
    assert post(http, f"{place}/approve") == place
    assert post(http, f"{place}/cancel") == place
    assert "What was found until then is kept" in http.get(place).text
    assert post(http, f"{place}/retry") != place
    assert post(http, f"{place}/delete") == "/"
    assert http.get(place, headers=PAGE).status_code == 404


def test_errors_are_pages_for_people_and_problems_for_programs(http: TestClient) -> None:
    page, problem = http.get("/jobs/0123456789abcdef", headers=PAGE), http.get("/jobs/0123456789abcdef")

    assert "No job with the id" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert problem.headers["content-type"] == "application/problem+json"


def test_pages_need_nothing_from_elsewhere(http: TestClient, work: Callable[[], Job]) -> None:
    place = post(http, "/submit", kind="toy", trials="8")
    work()
    for path in ("/", "/submit", "/knowledge", place):
        text = http.get(path).text
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', text), path
        assert not re.findall(r"<script(?! src=)|\sstyle=|\son[a-z]+=", text), path
    static = files("atunner.api") / "static"
    assert sum(len(f.read_bytes()) for f in static.iterdir()) + len(http.get("/").content) < 100_000
