from collections.abc import Callable
from pathlib import Path

import pytest
from support import need

from atunner.cli.app import run

Tune = Callable[..., int]

SOURCE = """
#ifndef UNROLL
#define UNROLL 1 // tune: 1, 2, 4
#endif
#ifndef SKEW
#define SKEW 0 // tune: 0, 1
#endif
void scale(float *y, const float *x, int n) {
    for (int i = 0; i + UNROLL <= n; i += UNROLL)
        for (int u = 0; u < UNROLL; ++u) y[i + u] = 3 * x[i + u] + SKEW;
}
"""
TEXT = """
kernel: scale.c
sizes: {n: 4096}
arguments:
  y: float32[n] output
  x: float32[n]
  n: int32 = n
reference: {python: reference.py, function: scale}
"""
REFERENCE = "def scale(x):\n    return 3.0 * x\n"


class Folder:
    """A kernel with its description and reference, to be changed file by file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("scale.c", SOURCE)
        self.write("scale.yaml", TEXT)
        self.write("reference.py", REFERENCE)

    def write(self, name: str, text: str) -> Path:
        (self.path / name).write_text(text, encoding="utf-8")
        return self.path / name

    def change(self, name: str, old: str, new: str) -> Path:
        text = (self.path / name).read_text(encoding="utf-8")
        assert old in text
        return self.write(name, text.replace(old, new))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def tune(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Tune:
    """Run `atunner tune kernel` with data of its own; returns the exit code."""
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    monkeypatch.setenv("ATUNNER_WORKERS", "1")
    monkeypatch.chdir(tmp_path)
    return lambda *argv: run(["tune", "kernel", *(str(a) for a in argv), "--output", str(tmp_path / "out")])


@pytest.fixture
def compiler() -> None:
    need("gcc")
