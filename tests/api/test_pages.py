"""The dashboard without scripts: every page shows what the record holds, and forms do what the API does."""

import hashlib
import json
import re
from collections.abc import Callable
from importlib.resources import files

import pytest
from seeded import seed
from starlette.testclient import TestClient

from atunner.core.job import Job

PAGE = {"accept": "text/html"}
SAME = {**PAGE, "origin": "http://127.0.0.1"}
TABS = ("candidates", "analysis", "lineage", "agents", "log")
STATIC = files("atunner.api") / "static"


def post(http: TestClient, path: str, **fields: str) -> str:
    answer = http.post(path, data=fields, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def toy(http: TestClient, work: Callable[[], Job], trials: int = 24) -> str:
    place = post(http, "/submit", kind="toy", floor="1", trials=str(trials))
    work()
    return place


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
    assert '<span class="badge simulated">simulated</span>' in done
    assert 'class="best"' in done
    assert "team=a, week=7" in listed
    assert re.search(r"\d us</span>", listed)


def test_every_part_of_a_job_has_a_page_that_is_whole_without_scripts(
    http: TestClient, work: Callable[[], Job]
) -> None:
    place = toy(http, work)
    pages = {tab: http.get(f"{place}/tab/{tab}?show=all") for tab in TABS}

    assert all(page.status_code == 200 for page in pages.values())
    assert "24 candidates" in pages["candidates"].text
    assert "Round 1" in pages["agents"].text
    assert "by rules" in pages["agents"].text
    assert "baseline" in pages["lineage"].text
    assert "evaluation" in pages["log"].text


def test_agents_stand_with_what_they_asked_a_model(http: TestClient) -> None:
    service = http.app.state.service  # type: ignore[attr-defined]  # the application's own state
    job = seed(service.store.database, 40)
    page = http.get(f"/jobs/{job.id}/tab/agents").text

    assert sum(int(count) for count in re.findall(r"(\d) model calls?,", page)) == 2
    assert "312 out" in page
    assert "The kernel is bound by arithmetic." in page
    assert "keep a 16 x 16 tile" in page
    assert "gpt-5-mini" in http.get(f"/jobs/{job.id}/tab/lineage").text


def test_what_changes_is_a_part_of_the_page(http: TestClient, work: Callable[[], Job]) -> None:
    place = toy(http, work)
    part = http.get(f"{place}?part=live").text

    assert "<html" not in part
    assert "24 of 24" in part
    assert "<html" not in http.get("/?part=live").text


def test_candidates_are_found_sorted_and_paged(http: TestClient, work: Callable[[], Job]) -> None:
    place = f"{toy(http, work, 60)}/tab/candidates"
    best = re.findall(r">#(\d+)</a>", http.get(f"{place}?show=all&sort=best").text)
    newest = re.findall(r">#(\d+)</a>", http.get(f"{place}?show=all&sort=newest").text)

    assert newest == sorted(newest, key=int, reverse=True)
    assert best != newest
    assert "Page 1 of 2" in http.get(f"{place}?show=all").text
    assert "Page 2 of 2" in http.get(f"{place}?show=all&page=99").text
    assert "No candidate fits" in http.get(f"{place}?text=nothing-like-this").text
    assert http.get(f"{place}?show=failed").status_code == 200


def test_a_diff_and_a_candidate_have_pages(http: TestClient, work: Callable[[], Job]) -> None:
    place = toy(http, work)
    links = re.findall(r'href="(/jobs/[0-9a-f]{16}/(?:diff\?new=|candidates/)[0-9a-f]{16})"', http.get(place).text)

    assert len(links) > 3
    for link in links:
        assert http.get(link).status_code == 200, link


def test_plots_say_what_the_record_holds(http: TestClient, work: Callable[[], Job]) -> None:
    place = toy(http, work)
    progress = http.get(f"{place}/plots/progress.json").json()
    rest = http.get(f"{place}/plots/progress.json?after=20").json()

    assert [p[0] for p in progress["points"]] == list(range(1, 25))
    assert rest["points"] == progress["points"][20:]
    assert [p[1] for p in progress["points"]] == sorted(p[1] for p in progress["points"])
    parameters = http.get(f"{place}/plots/parameters.json").json()
    assert sum(share for _, share in parameters["importance"]) > 0
    assert len(parameters["rows"]) > 10
    assert http.get(f"{place}/plots/lineage.json").json()["children"]
    assert http.get(f"{place}/plots/roofline.json").json()["attained"] is False


def test_jobs_are_compared_side_by_side(http: TestClient, work: Callable[[], Job]) -> None:
    first, second = toy(http, work), toy(http, work, 12)
    ids = [place.rsplit("/", 1)[1] for place in (first, second)]
    page = http.get("/compare", params={"job": ids}).text

    assert "against naive" in page
    assert all(identity[:6] in page for identity in ids)
    assert "Choose jobs" in http.get("/compare").text
    assert http.get("/compare", params={"job": [f"{n:016x}" for n in range(6)]}).status_code == 422


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/knowledge", "softmax"),
        ("/knowledge/operators/matmul", "Kernel families"),
        ("/knowledge/devices", "A100"),
        ("/knowledge/devices/A100", "data sheet"),
        ("/knowledge/techniques?treats=memory", "needs"),
        ("/knowledge/fusion", "legal when"),
        ("/knowledge/history", "No history yet"),
    ],
)
def test_the_knowledge_base_has_pages(http: TestClient, path: str, said: str) -> None:
    assert said in http.get(path).text


@pytest.mark.parametrize(
    "path", ["/knowledge/devices/a900", "/knowledge/operators/softmox", "/knowledge/techniques?treats=x"]
)
def test_unknown_names_are_answered_with_the_known_ones(http: TestClient, path: str) -> None:
    answer = http.get(path, headers=PAGE)

    assert answer.status_code in (404, 422)
    assert "nown" in answer.text


MISTAKES: list[tuple[dict[str, str], str, str]] = [
    ({"kind": "operator", "operator": "matmul", "shape": "1,2,oops"}, "shape", "takes whole numbers"),
    ({"kind": "operator", "operator": "matmul", "settings": "kernel"}, "settings", "takes name=value"),
    ({"kind": "toy", "trials": ""}, "trials", "a budget needs trials or seconds"),
    ({"kind": "toy", "priority": "1000"}, "priority", "expected at most 100"),
    ({"kind": "toy", "trials": "1"}, "trials", "expected at least 2"),
    ({"kind": "toy", "strategy": "evolve", "strategy_options": "children"}, "strategy_options", "takes name=value"),
    ({"kind": "toy", "approve": "all"}, "approve", "expected &#39;&#39;, &#39;plan&#39; or &#39;candidate&#39;"),
    ({"kind": "toy", "target_ratio": "fast"}, "target_ratio", "takes a number"),
    ({"kind": "ir", "program": "int f;"}, "program", "has none"),
    ({"kind": "toy", "model": "http://elsewhere"}, "model", "takes none, openai:NAME"),
    ({"kind": "operator", "operator": "<script>alert(1)</script>"}, "operator", "takes letters"),
    ({"kind": "ir"}, "program", "Paste a C program"),
    ({"kind": "ir", "program": "int main;", "program_name": "a.py"}, "program_name", "end in .c"),
    ({"kind": "ir", "program": "int main;", "cflags": "-fplugin=x"}, "cflags", "takes -D and -std"),
    ({"kind": "ir", "program": "int main;", "function": "1"}, "function", "the name of a C function"),
    ({"kind": "ir", "program": "int main;", "args": "'open"}, "args", "a quotation is not closed"),
    ({"kind": "nothing"}, "kind", "No kind of task named"),
    ({"kind": "kernel"}, "source", "Paste the source"),
    ({"kind": "kernel", "source": "void f(void) {}"}, "source_name", "Name the source"),
]


@pytest.mark.parametrize(("fields", "field", "said"), MISTAKES)
def test_a_wrong_form_comes_back_filled_in(http: TestClient, fields: dict[str, str], field: str, said: str) -> None:
    answer = http.post("/submit", data={"labels": "kept=yes", **fields}, headers=SAME)

    assert answer.status_code == 422
    assert said in answer.text
    assert f'data-field="{field}"' in answer.text
    assert "kept=yes" in answer.text
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(("fields", "field", "said"), MISTAKES)
def test_the_check_says_the_same_before(http: TestClient, fields: dict[str, str], field: str, said: str) -> None:
    answer = http.post("/submit/check", data=fields, headers=SAME)

    assert answer.status_code == 200
    assert said in answer.text
    assert f'data-field="{field}"' in answer.text
    assert http.get("/api/v1/jobs").json()["total"] == 0


SAXPY = """void scale(const float *x, float *y, int n) {
    for (int i = 0; i < n; i += block_size_x)
        for (int k = i; k < n && k < i + block_size_x; ++k) y[k] = 2.0f * x[k];
}
"""
DESCRIBED = """kernel: scale.c
sizes: {n: 4096}
parameters: {block_size_x: [16, 32, 64]}
arguments:
  x: float32[n]
  y: float32[n] output
  n: int32 = n
"""


def test_a_kernel_of_the_users_own_is_read_while_it_is_typed(http: TestClient) -> None:
    fields = {"kind": "kernel", "source_name": "scale.c", "source": SAXPY, "description": DESCRIBED}
    told = http.post("/submit/check", data=fields, headers=SAME).text
    wrong = http.post("/submit/check", data={**fields, "description": "kernel: [\n"}, headers=SAME).text

    assert "can run" in told
    assert "block_size_x</code> 3" in told
    assert "kernel.yaml is not YAML" in wrong


def test_a_program_in_c_is_taken(http: TestClient) -> None:
    fields = {
        "kind": "ir",
        "program": "int main(void) { return 0; }",
        "level": "fast",
        "cflags": "-DN=4",
        "inputs": "7\n8 9",
    }
    told = http.post("/submit/check", data=fields, headers=SAME).text
    place = post(http, "/submit", **fields)
    spec = http.get(f"/api/v1{place}").json()["request"]["task"]["spec"]

    assert "within 1e-3" in told
    assert spec["cflags"] == ["-DN=4"]
    assert [one["args"] for one in spec["inputs"]] == [["7"], ["8", "9"]]


def test_how_a_job_is_run_is_taken(http: TestClient) -> None:
    how = {"strategy": "evolve", "strategy_options": "children=2, islands=3", "approve": "plan", "target_ratio": "1.5"}
    told = http.post("/submit/check", data={"kind": "toy", **how}, headers=SAME).text
    place = post(http, "/submit", kind="toy", **how)
    asked = http.get(f"/api/v1{place}").json()["request"]["options"]

    assert "evolve: it asks a model and has none, so the expert proposes" in told
    assert asked["strategy"] == "evolve"
    assert asked["options"]["strategy"] == {"children": "2", "islands": "3"}
    assert (asked["options"]["approve"], asked["options"]["target_ratio"]) == ("plan", 1.5)


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


def test_pages_need_nothing_from_elsewhere_and_no_inline_script(http: TestClient, work: Callable[[], Job]) -> None:
    place = toy(http, work, 8)
    for path in ("/", "/submit", "/compare", "/knowledge", place, *(f"{place}/tab/{tab}" for tab in TABS)):
        text = http.get(path).text
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', text), path
        assert not re.findall(r"<script(?! src=)|\sstyle=|\son[a-z]+=", text), path


def test_the_first_page_is_light(http: TestClient) -> None:
    page = http.get("/", headers={"accept-encoding": "gzip"})
    parts = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    answers = [page, *(http.get(part, headers={"accept-encoding": "gzip"}) for part in parts)]
    sizes = [int(a.headers["content-length"]) for a in answers] + [
        len((STATIC / "vendor" / "inter-5.3.0.woff2").read_bytes())
    ]

    assert all(a.status_code == 200 for a in answers)
    assert sum(sizes) < 100_000
    assert all("immutable" in a.headers["cache-control"] for a in answers[1:])


def test_vendored_files_are_what_they_say() -> None:
    listed = json.loads((STATIC / "vendor" / "vendored.json").read_text())
    named = {one["file"] for one in listed} | {name for one in listed for name in one["licence_files"]}

    assert named | {"vendored.json"} == {one.name for one in (STATIC / "vendor").iterdir()}
    for one in listed:
        assert hashlib.sha256((STATIC / "vendor" / one["file"]).read_bytes()).hexdigest() == one["sha256"], one["file"]
        assert one["version"] in one["file"]
        assert one["licence"]
