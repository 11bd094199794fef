"""The files beside an evidence bundle: whether what a user takes away is what was judged."""

import json
import re
from pathlib import Path

from atunner.core.candidate import Candidate
from atunner.reports import difference
from atunner.tools.text import text_of

HEAD = re.compile(r"\A/\*(?s:.*?)\*/\n((?:#ifndef \w+\n#define .*\n#endif\n)*)\n")
MACRO = re.compile(r"#ifndef (\w+)\n#define \1 (.*)\n#endif\n")


def changed(folder: Path, candidate: Candidate) -> tuple[str, ...]:
    """What is not as the candidate has it, one line for each file; a file that is not there is no fault.

    Raises:
        UserError: a file cannot be read.
    """
    sources = [path for path in sorted(folder.glob("best.*")) if path.is_file()]
    wrong = [f"{path.name}: {why}" for path in sources if (why := _source(text_of(path, path.name), candidate))]
    launch = folder / "launch.json"
    if launch.is_file() and (why := _launch(text_of(launch, launch.name), candidate)):
        wrong.append(f"{launch.name}: {why}")
    return tuple(wrong)


def _source(text: str, candidate: Candidate) -> str:
    head = HEAD.match(text)
    if head is None or text[head.end() :] != difference.source(candidate)[1]:
        return "its source is not the one that was judged"
    told = dict(MACRO.findall(head[1]))
    other = [name for name, value in candidate.params.items() if told.get(name, str(value)) != str(value)]
    return f"its {', '.join(other)} are not those that were judged" if other else ""


def _launch(text: str, candidate: Candidate) -> str:
    try:
        told = json.loads(text)
    except json.JSONDecodeError:
        return "it is no JSON"
    same = isinstance(told, dict) and (told.get("candidate"), told.get("params")) == (candidate.id, candidate.params)
    return "" if same else "its candidate or parameters are not those that were judged"
