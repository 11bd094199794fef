"""A job as its user lives it: handed in from the form, watched, reloaded, taken through a restart to its end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import Look, Opener, Server
from models.server import said, serving
from service_jobs import WAIT_S
from support import need

pytestmark = pytest.mark.timeout(1800)
TRIALS = 6


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Server]:
    need("gcc")
    found = Server(tmp_path_factory.mktemp("live"))
    try:
        found.start()
        yield found
    finally:
        found.close()


def submitted(look: Look, **fields: str) -> str:
    """Fill the form in, wait for the server's word, send it; the job's address."""
    page = look.page
    page.goto("/submit")
    for name, value in fields.items():
        place = page.locator(f'[name="{name}"]')
        if place.first.get_attribute("type") == "radio":
            page.locator(f'[name="{name}"][value="{value}"]').check()
        elif place.evaluate("one => one.tagName") == "SELECT":
            place.select_option(value)
        else:
            place.fill(value)
    page.wait_for_selector("#check .state.ok")
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/jobs/*")
    return str(page.url)


def verified(look: Look) -> int:
    return int(look.page.locator("#verified").inner_text())


def test_the_form_says_what_is_wrong_while_it_is_filled_in(server: Server, opened: Opener) -> None:
    with opened(server.url) as look:
        page = look.page
        page.goto("/submit")
        page.wait_for_selector("#check .state.ok")
        page.get_by_label("Input shape").fill("64,oops")
        page.wait_for_selector("#check .wrong")
        assert "takes whole numbers" in page.locator("#mistake").inner_text()
        assert page.get_by_label("Input shape").get_attribute("aria-invalid") == "true"
        assert page.get_by_role("button", name="Submit").is_disabled()
        look.picture("submit-wrong")

        page.get_by_label("Input shape").fill("64,64,64")
        page.wait_for_selector("#check .state.ok")
        assert page.get_by_label("Input shape").get_attribute("aria-invalid") is None
        page.locator("[name=kind][value=kernel]").check()
        page.wait_for_selector("#check .notice")
        assert page.locator("[name=source]").is_visible()


def test_a_job_is_watched_to_its_end_through_a_restart(server: Server, opened: Opener) -> None:
    with opened(server.url) as look:
        page = look.page
        job = submitted(look, operator="matmul", shape="64,64,64", trials=str(TRIALS), labels="team=browser")
        page.wait_for_selector("#live[data-state=running], .state.running")
        page.wait_for_selector("#verified:not(:text-is('0'))")
        look.drawn()
        look.picture("live-desk")
        before = verified(look)
        assert before > 0
        page.reload()
        assert verified(look) >= before

        look.offline = True
        server.terminate()
        page.wait_for_selector("#lost:not([hidden]):not(.back)")
        assert "Connection lost" in page.locator("#lost").inner_text()
        look.picture("lost-desk")
        server.start()
        page.wait_for_selector("#lost.back, #lost[hidden]", state="attached")
        look.offline = False

        for tab, shown in (
            ("Candidates", "baseline"),
            ("Analysis", "Roofline"),
            ("Lineage", "baseline"),
            ("Log", "trial"),
        ):
            page.get_by_role("link", name=tab, exact=False).first.click()
            page.wait_for_url(f"**/tab/{tab.lower()}*")
            assert shown in page.locator("#live").inner_text(), tab
        page.get_by_role("link", name="Agents").click()
        assert "rules" in page.locator(".said").first.inner_text()
        other = submitted(look, kind="toy", floor="3", trials="30", priority="-5")

        page.goto(job)

        page.wait_for_selector("#facts .state.done, #facts .state.failed", timeout=900_000)
        assert page.locator("#facts .state").first.inner_text() == "done", page.locator("#live").inner_text()[:600]
        assert verified(look) == TRIALS
        assert f"{TRIALS} of {TRIALS}" in page.locator(".meter").first.inner_text()
        page.get_by_role("link", name="Diff of").first.click()
        page.wait_for_url("**/diff?*")
        assert page.locator(".diff td.new").count() > 3
        look.picture("live-diff")

        page.goto("/")
        page.wait_for_selector(f"#job-{other.rsplit('/', 1)[1]} .state.done")


def test_an_end_that_could_not_be_fetched_is_fetched_again(server: Server, opened: Opener) -> None:
    with opened(server.url) as look:
        page = look.page
        job = submitted(look, operator="softmax", shape="64,256", trials="500")
        page.wait_for_selector("#facts .state.running")

        look.offline = True
        page.route("**/jobs/*part=live*", lambda route: route.abort("connectionrefused"))
        httpx.post(f"{server.url}/api/v1/jobs/{job.rsplit('/', 1)[1]}/cancel", timeout=WAIT_S).raise_for_status()
        page.wait_for_selector("#lost:not([hidden]):not(.back)")
        assert page.locator("#facts .state.cancelled").count() == 0

        page.unroute("**/jobs/*part=live*")
        page.wait_for_selector("#facts .state.cancelled")
        page.wait_for_selector("#lost.back, #lost[hidden]", state="attached")


def test_a_running_job_is_stopped(server: Server, opened: Opener) -> None:
    with opened(server.url) as look:
        page = look.page
        submitted(look, operator="softmax", shape="64,256", trials="500")
        page.wait_for_selector("#facts .state.running")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("#facts .state.cancelled")
        assert "What was found until then is kept" in page.locator(".notice").first.inner_text()
        page.get_by_role("button", name="Run again").click()
        page.wait_for_selector("#facts .state.running, #facts .state.queued")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("#facts .state.cancelled")


def test_the_words_of_a_model_are_shown_with_their_cost(tmp_path: Path, browser: Any, opened: Opener) -> None:
    need("gcc")
    with serving(lambda _: said("I would keep a tile in registers.", (812, 64))) as model:
        server = Server(tmp_path, model=f"{model.url}#tiny")
        try:
            server.start()
            with opened(server.url) as look:
                submitted(look, operator="matmul", shape="32,32,32", trials="2", strategy="one_prompt")
                look.page.wait_for_selector("#facts .state.done", timeout=900_000)
                look.page.get_by_role("link", name="Agents").click()
                call = look.page.locator(".call").first
                assert "812 in, 64 out tokens" in call.inner_text()
                assert model.url not in look.page.content()
                call.locator("summary", has_text="Answer").click()
                assert "keep a tile in registers" in call.locator("pre").nth(1).inner_text()
                call.locator("summary", has_text="Prompt").click()
                assert "matmul" in call.locator("pre").first.inner_text()
                look.picture("agents-model", whole=True)
        finally:
            server.close()
