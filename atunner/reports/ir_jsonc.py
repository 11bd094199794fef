"""JSON with comments, as editors write it: read, and extended at one list without touching anything else."""

import json
import re
from collections.abc import Iterator

from pydantic import JsonValue

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|[\[\]{}:,]|[^\s\[\]{}:,"/]+', re.DOTALL)
CLOSING = {"{": "}", "[": "]"}


class Token:
    """One piece of the text. kind: text, comment or other."""

    def __init__(self, match: re.Match[str]) -> None:
        self.text, self.start, self.end = match[0], match.start(), match.end()

    @property
    def is_comment(self) -> bool:
        """Whether it is a comment."""
        return self.text.startswith(("//", "/*"))


def loads(text: str) -> JsonValue:
    """Read JSON with `//` and `/* */` comments and commas before a closing bracket.

    Raises:
        ValueError: it is no such JSON.
    """
    found: JsonValue = json.loads(_plain(text.removeprefix("\ufeff")))
    return found


def _plain(text: str) -> str:
    """The text as strict JSON of the same length, so that error positions hold."""
    result = list(text)
    kept: list[Token] = []
    for token in tokens(text):
        if token.is_comment:
            result[token.start : token.end] = [c if c == "\n" else " " for c in token.text]
            continue
        if token.text in "}]" and kept and kept[-1].text == ",":
            result[kept[-1].start] = " "
        kept.append(token)
    return "".join(result)


def tokens(text: str) -> Iterator[Token]:
    """Strings, comments, brackets, commas and bare words."""
    return (Token(match) for match in _TOKEN.finditer(text))


def with_entries(text: str, name: str, entries: dict[str, str], key: str) -> str:
    """The text with each entry in the list `name` at the top: in place of the one with the same `key`, or at its end.

    entries: value of `key` -> JSON text. Comments and everything else stay as they are. A missing list is added.

    Raises:
        ValueError: the text is no object, or `name` is no list.
    """
    whole = loads(text)
    if not isinstance(whole, dict):
        raise ValueError("an object was expected at the top")  # noqa: TRY004  the caller catches one kind
    if name not in whole:
        return _with_list(text, name, list(entries.values()))
    if not isinstance(whole[name], list):
        raise ValueError(f"{name!r} must be a list")  # noqa: TRY004  the caller catches one kind
    for value, entry in entries.items():
        text = _with_entry(text, name, (key, value), entry)
    return text


def _with_list(text: str, name: str, entries: list[str]) -> str:
    """With the list as the object's last member."""
    *_, last, end = (token for token in tokens(text) if not token.is_comment)
    comma = "" if last.text in "{," else ","
    body = ",\n".join(_indented(entry, "    ") for entry in entries)
    before = text[: last.end] + comma + text[last.end : end.start].rstrip()
    return f'{before}\n  "{name}": [\n{body}\n  ]\n{text[end.start :]}'


def _with_entry(text: str, name: str, label: tuple[str, str], entry: str) -> str:
    start, end = _span(text, name)
    for first, last in _elements(text, start, end):
        own = json.loads(_plain(text[first:last])) if text[first] == "{" else None
        if isinstance(own, dict) and own.get(label[0]) == label[1]:
            column = first - (text.rfind("\n", 0, first) + 1)
            return text[:first] + _indented(entry, " " * column).lstrip() + text[last:]
    elements = list(_elements(text, start, end))
    if not elements:
        return f"{text[: start + 1]}\n{_indented(entry, '    ')}\n  {text[end - 1 :]}"
    last = elements[-1][1]
    column = elements[-1][0] - (text.rfind("\n", 0, elements[-1][0]) + 1)
    tail = _without_comma(text[last : end - 1]).rstrip()
    return f"{text[:last]},{tail}\n{_indented(entry, ' ' * column)}\n  {text[end - 1 :]}"


def _without_comma(tail: str) -> str:
    """What follows the last element up to the bracket, less a comma that now stands before the new one."""
    for token in tokens(tail):
        if token.text == ",":
            return tail[: token.start] + tail[token.end :]
        if not token.is_comment:
            break
    return tail


def _span(text: str, name: str) -> tuple[int, int]:
    """Where the list of that name at the top begins and ends, brackets included."""
    depth, before = 0, list[Token]()
    for token in tokens(text):
        if token.is_comment:
            continue
        if token.text == "[" and depth == 1 and [t.text for t in before[-2:]] == [json.dumps(name), ":"]:
            return token.start, _closing(text, token.start)
        depth += (token.text in CLOSING) - (token.text in CLOSING.values())
        before.append(token)
    raise ValueError(f"{name!r} is not written as a list")


def _closing(text: str, start: int) -> int:
    depth = 0
    for match in _TOKEN.finditer(text, start):
        depth += (match[0] in CLOSING) - (match[0] in CLOSING.values())
        if not depth:
            return match.end()
    raise ValueError("a bracket is not closed")


def _elements(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each element of the list in `text[start:end]` begins and ends, comments between them not included."""
    depth, first, last = 0, -1, -1
    for match in _TOKEN.finditer(text, start + 1, end - 1):
        token = Token(match)
        if token.is_comment:
            continue
        if token.text == "," and depth == 0:
            yield first, last
            first = -1
            continue
        first = token.start if first < 0 else first
        last = token.end
        depth += (token.text in CLOSING) - (token.text in CLOSING.values())
    if first >= 0:
        yield first, last


def _indented(text: str, by: str) -> str:
    return "\n".join(by + line if line else line for line in text.splitlines())
