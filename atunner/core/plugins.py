"""Name -> object: a literal table for what ships here, entry points for what does not."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from atunner.core.errors import UnknownName
from atunner.core.foreign import Foreign


def names(kind: str, built_in: Mapping[str, str]) -> list[str]:
    """All names that `load` would take, sorted."""
    return sorted({e.name for e in entry_points(group=f"atunner.{kind}")} | set(built_in))


def load(kind: str, name: str, built_in: Mapping[str, str]) -> Any:
    """Return the plug-in `name`; ours win over an installed one of the same name.

    Raises:
        UnknownName: with the nearest names and the whole list. UserError: an installed one that cannot be loaded.
    """
    # Ours are looked up first: reading what is installed opens a file for every distribution.
    if name in built_in:
        return EntryPoint(name, built_in[name], f"atunner.{kind}").load()
    installed = {e.name: e for e in entry_points(group=f"atunner.{kind}")}
    if name not in installed:
        raise UnknownName(_one(kind), name, {*installed, *built_in})
    with Foreign(f"The {_one(kind)} {name!r} of an installed package cannot be loaded:"):
        return installed[name].load()


def _one(kind: str) -> str:
    """The singular: of strategies, strategy; of searchers, searcher."""
    return kind.removesuffix("ies") + "y" if kind.endswith("ies") else kind.removesuffix("s")
