"""Reads the data files that ship with the package."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ruamel.yaml import YAML

ROOT = files("atunner.knowledge_base") / "data"


def load(path: Traversable) -> Any:
    """The content of one YAML file."""
    return YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))


def folder(name: str) -> list[Traversable]:
    """The YAML files of a folder under data, by name."""
    return sorted((f for f in (ROOT / name).iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
