"""Golden files: `pytest --update-golden` renews them, review reads the change. Laws are not held against the clock.

`make test` draws the same examples of a law each time, so that what fails was changed; `make nightly` draws new ones.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("new", deadline=None)
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("ATUNNER_EXAMPLES", "same"))

Golden = Callable[[str, str], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write what is seen as the new golden files")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(name, text)` is what the file `golden/NAME` beside the test holds, which `text` has to equal."""
    folder = Path(request.path).parent / "golden"

    def kept(name: str, text: str) -> str:
        path = folder / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"{path} is missing: run pytest --update-golden and read what it wrote"
        return path.read_text(encoding="utf-8")

    return kept
