"""Debug information that leads back to the user's source, also where lines of it were rewritten."""

from difflib import SequenceMatcher
from pathlib import Path


def with_lines(before: str, after: str, source: Path, rewritten: Path) -> str:
    """`after` with `#line` directives: lines that are as before belong to `source`, the others to `rewritten`."""
    if before == after:
        return f'#line 1 "{_quoted(source)}"\n{after}'
    old, new = before.splitlines(), after.splitlines()
    result = list[str]()
    for tag, old_start, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "delete":
            continue
        if _whole(new[:start]):
            place = (old_start, source) if tag == "equal" else (start, rewritten)
            result.append(f'#line {place[0] + 1} "{_quoted(place[1])}"')
        result += new[start:end]
    return "\n".join(result) + "\n"


def _whole(lines: list[str]) -> bool:
    """Whether a directive may follow: the last line is not continued, and no comment or bracket is open."""
    text = "\n".join(lines)
    brackets = text.count("(") - text.count(")")
    return not text.endswith("\\") and text.count("/*") == text.count("*/") and not brackets


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("\\", "\\\\").replace('"', '\\"')
