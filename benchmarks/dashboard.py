"""The dashboard's figures: bytes of the first page, and the time that pages and results of a long job take."""

import re
import sys
import tempfile
import time
from pathlib import Path

from starlette.testclient import TestClient

from atunner.api.app import Serving, create
from atunner.knowledge_base.database import Database
from atunner.settings import Settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from seeded import seed

TRIALS = 5000
FIRST_PAGE_BYTES = 100_000
FIRST_LOOK_S, NEXT_LOOK_S = 5.0, 0.5
RESULTS = {"leaderboard": 0.5, "notes": 0.5, "run.json": 3.0, "trials.csv": 3.0, "report.html": 15.0}
PARTS = ("", "?part=live", "/tab/candidates", "/tab/analysis", "/tab/lineage", "/tab/agents", "/plots/progress.json")


def main() -> int:
    """Print each figure with its bound; 1 when one is missed."""
    with tempfile.TemporaryDirectory(prefix="atunner-dashboard-") as folder:
        settings = Settings(data=Path(folder), cache=Path(folder), database="", model="none")
        job = seed(Database(settings.database_url), TRIALS).id
        with TestClient(create(settings, Serving(slots=0)), base_url="http://127.0.0.1") as http:
            found = [("first page, compressed, kB", _first_page(http) / 1000, FIRST_PAGE_BYTES / 1000)]
            found.append((f"first look at {TRIALS} trials, s", _timed(http, f"/jobs/{job}"), FIRST_LOOK_S))
            for part in PARTS:
                _timed(http, f"/jobs/{job}{part}")
                best = min(_timed(http, f"/jobs/{job}{part}") for _ in range(5))
                found.append((f"{part or 'overview'}, s", best, NEXT_LOOK_S))
            found += [(f"{part}, s", _timed(http, f"/api/v1/jobs/{job}/{part}"), s) for part, s in RESULTS.items()]
    for name, value, bound in found:
        print(f"{name:38} {value:8.3f}   at most {bound:g}")
    missed = [name for name, value, bound in found if value > bound]
    print(f"missed: {', '.join(missed)}" if missed else "all reached")
    return int(bool(missed))


def _first_page(http: TestClient) -> int:
    """The list of jobs with everything that it loads, the typeface too."""
    page = http.get("/", headers={"accept-encoding": "gzip"})
    parts = [*re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text), "/static/vendor/inter-5.3.0.woff2"]
    answers = [page, *(http.get(part, headers={"accept-encoding": "gzip"}) for part in parts)]
    return sum(int(answer.headers["content-length"]) for answer in answers)


def _timed(http: TestClient, path: str) -> float:
    began = time.perf_counter()
    answer = http.get(path)
    assert answer.status_code == 200, path
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
