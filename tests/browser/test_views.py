"""Every page as people see it: whole at both widths, in both themes, legible, by keyboard, and with 5,000 trials."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.base import AXE_FILE_PATH  # type: ignore[import-untyped]  # it has no types
from browsing import Opener, Server
from seeded import seed
from service_jobs import WAIT_S, settings_at, toy

from atunner.knowledge_base.database import Database
from atunner.knowledge_base.jobs import JobStore
from atunner.service.perform import perform

pytestmark = pytest.mark.timeout(1800)
TRIALS = 5000
SECTIONS = (
    "",
    "/tab/candidates",
    "/tab/candidates?show=failed",
    "/tab/analysis",
    "/tab/lineage",
    "/tab/agents",
    "/tab/log",
)
AXE = Path(AXE_FILE_PATH).read_text()
TELLING = (
    "jobs",
    "job",
    "job-candidates-failed",
    "job-analysis",
    "job-agents",
    "submit",
    "compare",
    "techniques",
    "diff",
)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


class Site:
    """A server without a worker, a long job, a toy job, and what is empty."""

    def __init__(self, server: Server, long: str, short: str) -> None:
        self.url, self.long, self.short = server.url, long, short
        rows = httpx.get(f"{self.url}/api/v1/jobs/{long}/leaderboard?limit=9", timeout=WAIT_S).json()["rows"]
        self.pair = (rows[8]["candidate"], rows[0]["candidate"])

    def pages(self) -> dict[str, str]:
        parts = {
            f"job{part.replace('/tab/', '-').split('?')[0]}{'-failed' if '?' in part else ''}": part
            for part in SECTIONS
        }
        found = {name: f"/jobs/{self.long}{part}" for name, part in parts.items()}
        return found | {
            "jobs": "/",
            "none": "/?text=nothing",
            "diff": f"/jobs/{self.long}/diff?old={self.pair[0]}&new={self.pair[1]}",
            "candidate": f"/jobs/{self.long}/candidates/{self.pair[0]}",
            "submit": "/submit",
            "submit-kernel": "/submit?kind=kernel",
            "compare": f"/compare?job={self.long}&job={self.short}",
            "operators": "/knowledge",
            "operator": "/knowledge/operators/matmul",
            "devices": "/knowledge/devices",
            "device": "/knowledge/devices/A100",
            "techniques": "/knowledge/techniques",
            "fusion": "/knowledge/fusion",
            "history": "/knowledge/history",
        }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Site]:
    import threading

    folder = tmp_path_factory.mktemp("site")
    settings = settings_at(folder)
    database = Database(settings.database_url)
    long = seed(database, TRIALS)
    queue = JobStore(database)
    short = queue.submit(toy(floor=1, trials=40))
    lease = queue.claim("test")
    assert lease is not None
    perform(settings, lease, threading.Event())
    queue.submit(toy(floor=2).model_copy(update={"approval": True}))
    database.close()
    server = Server(folder, slots=0)
    try:
        server.start()
        yield Site(server, long.id, short.id)
    finally:
        server.close()


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_every_page_is_whole_on_a_desk_and_on_a_phone(site: Site, opened: Opener, width: str) -> None:
    beyond = {}
    with opened(site.url, width) as look:
        for name, path in site.pages().items():
            look.page.goto(path)
            look.drawn()
            beyond[name] = look.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            look.picture(f"{name}-{width}")

    assert {name: pixels for name, pixels in beyond.items() if pixels > 0} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_meet_wcag_aa(site: Site, opened: Opener, scheme: str) -> None:
    chosen = site.pages() if scheme == "light" else {name: site.pages()[name] for name in TELLING}
    with opened(site.url, "desk", scheme) as look:
        for name, path in chosen.items():
            look.page.goto(path)
            look.drawn()
            look.page.evaluate(AXE)
            if scheme == "dark":
                look.picture(f"{name}-dark")
            found = look.page.evaluate("rules => axe.run(document, rules)", RULES)
            told = [
                f"{v['id']}: {n['html'][:120]} {n['failureSummary'][:200]}"
                for v in found["violations"]
                for n in v["nodes"]
            ]
            assert not told, f"{name}, {scheme}: " + "\n".join(told[:5])


def test_a_job_of_5000_trials_is_usable(site: Site, opened: Opener) -> None:
    with opened(site.url) as look:
        page = look.page
        page.goto(f"/jobs/{site.long}")
        look.drawn()
        assert page.locator("#progress").get_attribute("data-points") == str(TRIALS)
        page.get_by_role("button", name="Time").click()
        assert page.locator("#progress").get_attribute("data-kept") == "1"

        page.get_by_role("link", name="Candidates").click()
        page.get_by_placeholder("Family, UNROLL=8").fill("UNROLL=8 ORDER=kij")
        page.get_by_role("button", name="Find").click()
        page.wait_for_url("**text=UNROLL*")
        told = page.locator("td.params").all_inner_texts()
        assert told
        assert all("UNROLL=8" in text and "ORDER=kij" in text for text in told)


def test_a_brush_keeps_a_range_and_lists_it(site: Site, opened: Opener) -> None:
    with opened(site.url) as look:
        page = look.page
        page.goto(f"/jobs/{site.long}/tab/analysis")
        look.drawn()
        plot = page.locator("#parallel")
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        across = box["x"] + 34
        page.mouse.move(across, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(across, box["y"] + 180, steps=6)
        page.mouse.up()
        page.wait_for_selector("#brushed table")
        kept = int(page.locator("#brushed").get_attribute("data-count"))
        look.picture("brush-desk")

        assert 0 < kept < TRIALS
        page.locator("#brushed a").first.click()
        page.wait_for_url("**/candidates/*")
        assert page.get_by_role("heading", level=1).inner_text().startswith("#")


def test_the_same_by_keyboard(site: Site, opened: Opener) -> None:
    with opened(site.url) as look:
        page = look.page
        page.goto(f"/jobs/{site.long}/tab/analysis")
        look.drawn()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("#narrow select").first.focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("#brushed table")
        first = page.locator("#narrow select").first
        wanted = first.evaluate("one => one.selectedOptions[0].text")
        shown = page.locator("#brushed tbody tr td:nth-child(2)").all_inner_texts()

        assert shown
        assert set(shown) == {wanted}


def test_two_candidates_stand_side_by_side(site: Site, opened: Opener) -> None:
    with opened(site.url) as look:
        page = look.page
        page.goto(f"/jobs/{site.long}/tab/candidates")
        page.get_by_role("link", name="Diff of").nth(2).click()
        page.wait_for_url("**/diff?*")
        assert page.locator(".diff td.new").count() > 1
        assert page.locator(".diff td.gone").count() > 1
        assert page.locator(".diff i.kw").count() + page.locator(".diff i.ty").count() > 1
        assert page.locator(".diff mark").count() > 0
        look.picture("diff-desk")
        page.locator("#old").select_option(index=3)
        page.get_by_role("button", name="Show").click()
        page.wait_for_url("**old=*")
        assert page.get_by_role("heading", name="Parameters").is_visible()


def test_a_theme_is_chosen_and_kept(site: Site, opened: Opener) -> None:
    with opened(site.url) as look:
        page = look.page
        page.goto(f"/jobs/{site.long}")
        look.drawn()
        page.get_by_role("button", name="Light or dark").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_pages_work_without_scripts(site: Site, opened: Opener) -> None:
    with opened(site.url, scripts=False) as look:
        page = look.page
        page.goto("/")
        page.locator("tbody a.strong").first.click()
        page.goto(f"/jobs/{site.long}")
        assert page.locator("svg.curve").is_visible()
        covered = page.locator("#progress").evaluate("one => getComputedStyle(one, '::after').content")
        assert covered == "none", "the drawing is hidden behind a notice that waits for scripts"
        look.picture("job-without-scripts")
        page.goto("/submit?kind=toy")
        page.get_by_label("Trials").fill("9")
        page.get_by_role("button", name="Submit").click()
        page.wait_for_url("**/jobs/*")
        assert "0 of 9" in page.locator(".meter").first.inner_text()


def test_jobs_are_chosen_and_compared(site: Site, opened: Opener) -> None:
    with opened(site.url) as look:
        page = look.page
        page.goto("/")
        compare = page.get_by_role("button", name="Compare chosen")
        assert compare.is_disabled()
        for identity in (site.long, site.short):
            page.locator(f"#job-{identity} input").check()
        compare.click()
        look.drawn()
        assert "Different provenance" in page.locator(".notice").first.inner_text()
        page.wait_for_selector("#compared.drawn")
