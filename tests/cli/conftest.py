"""A user's machine with nothing on it yet: own folders, own working directory, no model."""

from pathlib import Path

import pytest
from commands import Command, Said

from atunner.cli.app import run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"ATUNNER_{name}", str(tmp_path / name.lower()))
    for name in ("ATUNNER_MODEL", "ATUNNER_DATABASE", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def atunner(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """`atunner("show", "RUN")` in this process."""

    def call(*argv: str) -> Said:
        code = run(argv)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call
