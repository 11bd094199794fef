from pathlib import Path

import pytest
from support import need

from atunner.domains.kernels.backends.c import CBackend, Options


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("gcc")
    return tmp_path_factory.mktemp("judge-cache")


@pytest.fixture(scope="session")
def backend(cache: Path) -> CBackend:
    return CBackend(cache, Options(timeout_s=20.0))
