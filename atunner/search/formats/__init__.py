"""Files that say what to tune, or what was tuned: T1, YAML, the source itself, T4, and Kernel Tuner's cache files."""

from collections.abc import Callable, Sequence
from pathlib import Path

from atunner.core.errors import UserError
from atunner.operators.user import UserKernel
from atunner.search.formats import short, source, t1_kernel
from atunner.search.formats.admitted import admitted

__all__ = ["admitted", "read_kernel"]


def read_kernel(
    path: Path, problem_size: Sequence[int] = (), rules: Sequence[Callable[..., object]] = ()
) -> UserKernel:
    """The kernel that a T1 file (.json), a YAML file or a source describes; admitted, ready to be tuned.

    problem_size: for a source that is given alone. rules: more constraints, as functions of the parameters.

    Raises:
        UserError: anything is missing or contradicts itself; one line that names it.
    """
    if not path.exists():
        raise UserError(f"There is no file {path}. Give a T1 file, a YAML file or a source.")
    if path.suffix == ".json":
        return admitted(t1_kernel.read(path), rules)
    if path.suffix in (".yaml", ".yml"):
        return admitted(short.read(path), rules)
    beside = path.with_suffix(".yaml")
    if not problem_size and beside.exists():
        return admitted(short.read(beside), rules)
    if path.suffix not in source.LANGUAGES:
        known = ", ".join((".json", ".yaml", *source.LANGUAGES))
        raise UserError(f"{path.name} is neither a description nor a source known here; endings are {known}.")
    return admitted(short.described({"problem_size": list(problem_size)} if problem_size else {}, path, path), rules)
