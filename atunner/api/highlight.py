"""Sources with their syntax marked, line by line, as HTML without styles of its own."""

from functools import lru_cache
from itertools import pairwise

from markupsafe import Markup, escape
from pygments import lex
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Literal, Name, _TokenType

LANGUAGES = {
    **dict.fromkeys(("c", "h"), "c"),
    **dict.fromkeys(("cu", "cuh", "cpp", "hpp", "hip", "cl"), "cpp"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    **{"json": "json", "py": "python", "ll": "llvm", "mlir": "llvm", "s": "gas"},
}
CLASSES = (
    (Comment.Preproc, "pp"),
    (Comment, "co"),
    (Keyword.Type, "ty"),
    (Keyword, "kw"),
    (Literal.String, "st"),
    (Literal.Number, "nu"),
    (Name.Function, "fn"),
    (Name.Builtin, "ty"),
    (Name.Tag, "kw"),
)
LONGEST = 200_000
"""Characters beyond which a source is shown as it is."""

Line = list[tuple[str, str]]
"""Pieces of one line: class, text."""


def split(text: str) -> list[str]:
    """The lines of a text: line feeds and carriage returns end one, as for compilers, and nothing else does."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.removesuffix("\n").split("\n") if text else []


def pieces(name: str, text: str) -> list[Line]:
    """Each line as pieces with a class; the class is "" where nothing is to be marked."""
    if len(text) > LONGEST:
        return [[("", line)] for line in split(text)]
    lines: list[Line] = [[]]
    for kind, value in lex(text, _lexer(name.rpartition(".")[2].lower())):
        marked = _class(kind)
        for at, part in enumerate(value.split("\n")):
            if at:
                lines.append([])
            if part:
                lines[-1].append((marked, part))
    wanted = len(split(text))
    return (lines + [[] for _ in range(wanted)])[:wanted]


def html(line: Line) -> Markup:
    """One line as HTML."""
    return Markup("").join(
        Markup('<i class="{}">{}</i>').format(marked, text) if marked else escape(text) for marked, text in line
    )


def cut(line: Line, spans: list[tuple[int, int]]) -> Markup:
    """One line as HTML in which the characters of `spans` are marked as changed."""
    found, at = Markup(""), 0
    for marked, text in line:
        for part, changed in _parts(text, at, spans):
            inner = html([(marked, part)])
            found += Markup("<mark>{}</mark>").format(inner) if changed else inner
        at += len(text)
    return found


def _parts(text: str, start: int, spans: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    edges = sorted({0, len(text), *(min(max(e - start, 0), len(text)) for span in spans for e in span)})
    inside = [(a, b, any(low <= start + a and start + b <= high for low, high in spans)) for a, b in pairwise(edges)]
    return [(text[a:b], changed) for a, b, changed in inside if a < b]


@lru_cache
def _lexer(ending: str) -> Lexer:
    found: Lexer = get_lexer_by_name(LANGUAGES.get(ending, "text"), stripnl=False, ensurenl=False)
    return found


def _class(kind: _TokenType) -> str:
    kinds = kind.split()
    return next((name for parent, name in CLASSES if parent in kinds), "")
