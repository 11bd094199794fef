"""What tests share: skipping with a reason, or failing where the thing is required."""

import os
import shutil

import pytest


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
