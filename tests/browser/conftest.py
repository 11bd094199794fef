"""A real browser."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import Look, Opener
from service_jobs import WAIT_S
from support import need

sync = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path(os.environ.get("ATUNNER_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Ended with its module: while the driver's event loop runs, no other test of the process can run one."""
    need("chromium", CHROMIUM.exists(), f"there is no browser at {CHROMIUM} (ATUNNER_CHROMIUM names another)")
    with sync.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, headless=True)
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any) -> Opener:
    """`with opened(url, width, scheme) as look:` ends with the check that the console said nothing."""

    @contextmanager
    def make(url: str, width: str = "desk", scheme: str = "light", scripts: bool = True) -> Iterator[Look]:
        across, down = WIDTHS[width]
        context = browser.new_context(
            base_url=url,
            viewport={"width": across, "height": down},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(WAIT_S * 1000)
        look = Look(context.new_page())
        try:
            yield look
        finally:
            context.close()
        assert look.errors == []

    return make
