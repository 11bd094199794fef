"""C++ text as tokens with places, comments and preprocessor lines left out."""

import re
from dataclasses import dataclass

_COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
_TOKEN = re.compile(r'"[^"\n]*"|[A-Za-z_]\w*|\.?\d[\w.\']*|::|<<<|>>>|->|\S')
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    """A word or a sign, and its place in the text."""

    text: str
    start: int
    end: int


def without_comments(source: str) -> str:
    """The text with comments as blanks and the insides of strings as dots; places and lines stay."""

    def blank(match: re.Match[str]) -> str:
        text = match.group()
        if text[0] in "\"'":
            return text[0] + "." * (len(text) - 2) + text[0]
        return re.sub(r"[^\n]", " ", text)

    return _COMMENT_OR_STRING.sub(blank, source)


def directives(clean: str) -> list[re.Match[str]]:
    """Preprocessor lines of text without comments, with their continuations."""
    return list(_DIRECTIVE.finditer(clean))


def tokens(clean: str) -> list[Token]:
    """Tokens of text without comments; preprocessor lines give none."""
    code = _DIRECTIVE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), clean)
    return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(code)]


def line_of(source: str, place: int) -> int:
    """One-based line number of a place."""
    return source.count("\n", 0, place) + 1


def closing(words: list[Token], opening: int) -> int:
    """Index of the bracket that closes the one at `opening`; the last index where none does."""
    left = words[opening].text
    depth = 0
    for index in range(opening, len(words)):
        depth += (words[index].text == left) - (words[index].text == CLOSING[left])
        if depth == 0:
            return index
    return len(words) - 1
