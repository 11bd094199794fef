"""What tests share: skipping with a reason, or failing where the thing is required."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def required(name: str) -> bool:
    """Whether ATUNNER_REQUIRE (comma-separated) says that `name` must be here."""
    return name in os.environ.get("ATUNNER_REQUIRE", "").split(",")


def need(name: str, present: bool | None = None, reason: str = "") -> None:
    """Skip the test unless `name` is here (a program on PATH, or `present`); fail when it is required."""
    here = shutil.which(name) is not None if present is None else present
    if here:
        return
    text = reason or f"{name} is not on this machine"
    if required(name):
        pytest.fail(f"required by ATUNNER_REQUIRE: {text}")
    pytest.skip(text)


def benchmark(name: str) -> ModuleType:
    """A script of benchmarks/ as a module. Its folder is not left on the path: `search` and `models` are tests, too."""
    found = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    before = list(sys.path)
    sys.path.append(str(BENCHMARKS))
    try:
        found.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module
