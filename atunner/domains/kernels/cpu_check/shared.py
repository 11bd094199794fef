"""`__shared__` declarations, rewritten so that each variable is a region of its own."""

from dataclasses import dataclass

from atunner.core.errors import NotBuilt
from atunner.domains.kernels.cpu_check.tokens import Token, closing

_DROPPED = {"__shared__", "static", "extern", "__device__", "inline"}
_ALIGNED = {"alignas", "__align__", "__builtin_align__"}
_BUILT_IN = {
    *("const", "volatile", "unsigned", "signed", "short", "long", "int", "char", "float", "double", "bool"),
    *("struct", "class", "union", "enum", "typename", "auto", "wchar_t"),
}


@dataclass(frozen=True)
class Declarator:
    """One declared name: `pointers` before it, `extents` after it, all as text."""

    name: str
    pointers: str
    extents: tuple[str, ...]


@dataclass(frozen=True)
class Declaration:
    """One statement. dynamic: `extern __shared__`, whose size comes with the launch."""

    type: str
    alignment: str
    dynamic: bool
    declarators: tuple[Declarator, ...]


def declaration(words: list[Token], source: str, line: int) -> Declaration:
    """Parse the tokens of one statement, without its semicolon.

    Raises:
        NotBuilt: it declares nothing, or gives a shared variable a value.
    """
    alignment = ""
    rest: list[Token] = []
    index = 0
    while index < len(words):
        word = words[index]
        if word.text in _ALIGNED or word.text == "__attribute__":
            end = closing(words, index + 1)
            if word.text in _ALIGNED:
                alignment = source[words[index + 1].end : words[end].start]
            index = end
        elif word.text not in _DROPPED:
            rest.append(word)
        index += 1
    after = _type_end(rest)
    if after in (0, len(rest)):
        raise NotBuilt(f"line {line}: a __shared__ declaration without a type or a name.")
    found = tuple(_declarator(part, source, line) for part in _split(rest[after:]))
    text = _without_gaps(rest[:after], words, source)
    return Declaration(text, alignment, any(w.text == "extern" for w in words), found)


def rewritten(found: Declaration) -> str:
    """C++ for the host that declares the same names, on one line."""
    first = found.declarators[0].name
    parts = [f"typedef {' '.join(found.type.split())} atunner_base_{first};"]
    for one in found.declarators:
        base = f"atunner_base_{first}{one.pointers}"
        kind, room = f"atunner_type_{one.name}", f"atunner_room_{one.name}"
        if found.dynamic:
            inner = "".join(f"[{e}]" for e in one.extents[1:])
            parts.append(f"typedef {base} {kind}{inner};")
            parts.append(f"[[maybe_unused]] {kind}* const {one.name} = ({kind}*)::atunner::dynamic_shared();")
            continue
        extents = "".join(f"[{e}]" for e in one.extents)
        alignment = found.alignment or f"alignof({kind})"
        parts.append(f"typedef {base} {kind}{extents};")
        parts.append(f'static ::atunner::Room {room}{{"{one.name}", sizeof({kind}), {alignment}, nullptr, 0, 0}};')
        parts.append(f"[[maybe_unused]] {kind}& {one.name} = *({kind}*)::atunner::open_room(&{room});")
    return " ".join(parts)


def _type_end(words: list[Token]) -> int:
    """How many tokens the type takes."""
    index, named = 0, False
    while index < len(words):
        text = words[index].text
        if text == "{":
            index, named = closing(words, index) + 1, True
        elif text in _BUILT_IN:
            named = named or text not in ("const", "volatile", "typename", "struct", "class", "union", "enum")
            index += 1
        elif text == "::" or (index and words[index - 1].text == "::"):
            index, named = index + 1, named or text != "::"
        elif text == "<":
            index = _angle_end(words, index) + 1
        elif not named and (text[0].isalpha() or text[0] == "_"):
            index, named = index + 1, True
        else:
            break
    return index


def _without_gaps(kept: list[Token], words: list[Token], source: str) -> str:
    """The source of the kept tokens, without the tokens that lie between them and were dropped."""
    inside = [w for w in words if kept[0].start <= w.start < kept[-1].end]
    places = {w.start for w in kept}
    text, at = "", kept[0].start
    for word in inside:
        if word.start not in places:
            text += source[at : word.start] + " "
            at = word.end
    return text + source[at : kept[-1].end]


def _angle_end(words: list[Token], opening: int) -> int:
    depth = 0
    index = opening
    while index < len(words):
        text = words[index].text
        if text == "(":
            index = closing(words, index)
        depth += (text == "<") - (text == ">")
        if text == ">>>":
            depth -= 3
        if depth <= 0:
            return index
        index += 1
    return len(words) - 1


def _split(words: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for word in words:
        depth += (word.text in "([{") - (word.text in ")]}")
        if word.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _declarator(words: list[Token], source: str, line: int) -> Declarator:
    pointers, index = "", 0
    while index < len(words) and words[index].text in ("*", "const", "volatile", "__restrict__"):
        pointers += " " + words[index].text
        index += 1
    if index == len(words) or not words[index].text.isidentifier():
        raise NotBuilt(f"line {line}: a __shared__ declaration that is not understood; write TYPE NAME[EXTENT].")
    name = words[index].text
    extents = []
    index += 1
    while index < len(words):
        if words[index].text != "[":
            raise NotBuilt(f"line {line}: a __shared__ variable cannot be given a value where it is declared.")
        end = closing(words, index)
        extents.append(" ".join(source[words[index].end : words[end].start].split()))
        index = end + 1
    return Declarator(name, pointers, tuple(extents))
