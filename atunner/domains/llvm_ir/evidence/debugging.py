"""Debug information that leads back to the user's source, also where lines of it were rewritten."""

import re
from difflib import SequenceMatcher
from pathlib import Path

_MARKER = re.compile(r'# (\d+) "([^"]*)"(.*)')


def with_lines(before: str, after: str, source: Path, rewritten: Path) -> str:
    """`after` with line markers: what is as before belongs to `source`, the rest to `rewritten`, where `after` lies.

    A source that is as before stays as it is: `maps` leads from where it is compiled to where it lies.
    """
    if before == after:
        return after
    new = after.splitlines()
    markers = [found for line in new if (found := _MARKER.fullmatch(line))]
    result = _marked(new, markers[0][2], source, rewritten) if markers else _compared(before, new, source, rewritten)
    return "\n".join(result) + "\n"


def maps(folder: Path, source: Path) -> tuple[str, ...]:
    """Flags by which what is compiled in `folder` is found beside `source`."""
    return (f"-fdebug-prefix-map={folder}={source.resolve().parent}",)


def _compared(before: str, new: list[str], source: Path, rewritten: Path) -> list[str]:
    """For a source that was edited line by line."""
    result = list[str]()
    for tag, old_start, _, start, end in SequenceMatcher(None, before.splitlines(), new, autojunk=False).get_opcodes():
        if tag == "delete":
            continue
        if _whole(new[:start]):
            result.append(_marker(old_start, source) if tag == "equal" else _marker(start, rewritten))
        result += new[start:end]
    return result


def _marked(new: list[str], name: str, source: Path, rewritten: Path) -> list[str]:
    """For a source that was preprocessed: between two of its markers there may be more lines than it has itself."""
    result, left = [_marker(0, rewritten)], 0
    for number, line in enumerate(new):
        found = _MARKER.fullmatch(line)
        if found:
            own = found[2] == name
            left = _own_lines(new, number, name) if own else -1
            result.append(f'# {found[1]} "{_quoted(source)}"{found[3]}' if own else line)
            continue
        if left == 0:
            result.append(_marker(number, rewritten))
        left -= 1
        result.append(line)
    return result


def _own_lines(new: list[str], at: int, name: str) -> int:
    """How many lines after the marker at that place are the source's own; -1 for all of them."""
    first = _MARKER.fullmatch(new[at])
    following = next((found for line in new[at + 1 :] if (found := _MARKER.fullmatch(line))), None)
    if first is None or following is None or following[2] != name:
        return -1
    return max(0, int(following[1]) - int(first[1]))


def _marker(lines_before: int, path: Path) -> str:
    return f'# {lines_before + 1} "{_quoted(path)}"'


def _whole(lines: list[str]) -> bool:
    """Whether a marker may follow: the last line is not continued, and no comment or bracket is open."""
    text = "\n".join(lines)
    brackets = text.count("(") - text.count(")")
    return not text.endswith("\\") and text.count("/*") == text.count("*/") and not brackets


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("\\", "\\\\").replace('"', '\\"')
