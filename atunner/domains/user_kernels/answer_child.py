"""Runs a user's reference in a process of its own: one answer for each line that it is told.

Usage: python -I answer_child.py FOLDER COMMANDS REPLIES. A line of the descriptor COMMANDS is a JSON object with the
sizes, the outputs and a number N; inputs-N.npz in the folder is read, outputs-N.npz written, and a line answers.
"""

import json
import os
import select
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def reference(folder: Path, name: str) -> Callable[..., Any]:
    """The user's function."""
    names: dict[str, Any] = {"__name__": "reference"}
    source = (folder / "reference.py").read_text()
    exec(compile(source, "reference.py", "exec"), names)
    if name not in names:
        raise NameError(f"reference.py has no function {name!r}")
    wanted: Callable[..., Any] = names[name]
    return wanted


def answer(wanted: Any, folder: Path, call: dict[str, Any]) -> None:
    """Call the function and keep what it returns; an array alone belongs to the only output."""
    number = call["number"]
    taken = wanted.__code__.co_varnames[: wanted.__code__.co_argcount + wanted.__code__.co_kwonlyargcount]
    given = {**call["sizes"], **dict(np.load(folder / f"inputs-{number}.npz"))}
    missing = [n for n in taken if n not in given and n not in (wanted.__kwdefaults__ or {})]
    if len(missing) > len(wanted.__defaults__ or ()):
        raise TypeError(f"{wanted.__name__} takes {missing[0]!r}; there are {', '.join(sorted(given))}")
    made = wanted(**{n: given[n] for n in taken if n in given})
    if not isinstance(made, dict):
        made = {call["outputs"][0]: made}
    arrays = {n: np.asarray(v) for n, v in made.items()}
    np.savez(folder / f"outputs-{number}.npz", **arrays)  # type: ignore[arg-type]  # numpy's own options


def end_with(commands: int) -> None:
    """End this process once nobody can ask any more, whatever the user's code is doing."""
    closed = select.poll()
    closed.register(commands, 0)
    closed.poll()
    os._exit(1)


def main(folder: Path, commands: int, replies: int) -> None:
    """Answer until the other side closes; an error of the user's code is told and the next call may come."""
    wanted: Any = None
    threading.Thread(target=end_with, args=(os.dup(commands),), daemon=True).start()
    with os.fdopen(commands) as asked, os.fdopen(replies, "w") as told:
        for line in iter(asked.readline, ""):
            call = json.loads(line)
            failure = ""
            try:
                wanted = wanted or reference(folder, call["function"])
                answer(wanted, folder, call)
            except BaseException as error:  # noqa: BLE001 - whatever the user's code raises is its answer
                failure = " ".join(f"{type(error).__name__}: {error}".split()) or "it failed"
            told.write(json.dumps({"failure": failure}) + "\n")
            told.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
