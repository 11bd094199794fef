"""Runs a user's reference in a process of its own: reads call.json and inputs.npz beside it, writes outputs.npz.

Usage: python -I answer_child.py FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: Path) -> int:
    """Call the function and keep what it returns; an array alone belongs to the only output."""
    call = json.loads((folder / "call.json").read_text())
    names: dict[str, Any] = {"__name__": "reference"}
    source = (folder / "reference.py").read_text()
    exec(compile(source, "reference.py", "exec"), names)
    if call["function"] not in names:
        raise SystemExit(f"reference.py has no function {call['function']!r}")
    wanted = names[call["function"]]
    taken = wanted.__code__.co_varnames[: wanted.__code__.co_argcount + wanted.__code__.co_kwonlyargcount]
    given = {**call["sizes"], **dict(np.load(folder / "inputs.npz"))}
    missing = [n for n in taken if n not in given and n not in (wanted.__kwdefaults__ or {})]
    if len(missing) > len(wanted.__defaults__ or ()):
        raise SystemExit(f"{call['function']} takes {missing[0]!r}; there are {', '.join(sorted(given))}")
    made = wanted(**{n: given[n] for n in taken if n in given})
    if not isinstance(made, dict):
        made = {call["outputs"][0]: made}
    np.savez(folder / "outputs.npz", **{n: np.asarray(v) for n, v in made.items()})  # type: ignore[arg-type]  # numpy's own options
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
