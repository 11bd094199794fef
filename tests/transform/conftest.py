from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def home(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for data and results."""
    monkeypatch.setenv("ATUNNER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ATUNNER_CACHE", str(cache))
    monkeypatch.setenv("ATUNNER_WORKERS", "1")
    monkeypatch.delenv("ATUNNER_MODEL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
