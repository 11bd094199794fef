"""What a run costs is the program's own time: the launcher that puts it into a sandbox says what it took before."""

import os
from pathlib import Path

import pytest

from atunner.tools.process import clocked
from atunner.tools.runner import program
from atunner.tools.sandbox import Chain, Limits, confined, strongest


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Chain, Path]:
    cache = tmp_path_factory.mktemp("launcher")
    return strongest(cache), cache


def told(chain: Chain, cache: Path, *argv: str, out: Path | None = None) -> tuple[int, int, float]:
    """Nanoseconds that the launcher told, the descriptor that it told them on, and what the whole run took."""
    heard, telling = os.pipe()
    try:
        wrapped = confined(chain, program("launcher", cache), argv, (), Limits(), clock=telling)
        done = clocked(*wrapped, timeout_s=60, output=out, descriptors=(telling,))
        return int(os.read(heard, 64)), telling, done.cpu_s
    finally:
        os.close(heard)
        os.close(telling)


def test_the_launcher_tells_what_it_took(chain: tuple[Chain, Path]) -> None:
    before, _, whole = told(*chain, "/bin/true")

    assert 0 < before / 1e9 <= whole


def test_the_program_cannot_reach_what_it_told(chain: tuple[Chain, Path], tmp_path: Path) -> None:
    out = tmp_path / "open"
    _, telling, _ = told(*chain, "/bin/ls", "/proc/self/fd", out=out)

    assert str(telling) not in out.read_text().split()
    assert "1" in out.read_text().split()
