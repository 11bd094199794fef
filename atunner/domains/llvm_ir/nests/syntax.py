"""The syntax tree of a preprocessed C program, as clang prints it: nodes with kinds, types and byte offsets."""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from atunner.core.errors import UserError
from atunner.domains.llvm_ir.toolchain import toolchain
from atunner.tools.process import run

LIMIT_S = 45.0
MAX_TREE = 256 << 20
_MARKER = re.compile(rb'^#\s+(\d+)\s+"((?:[^"\\]|\\.)*)"([^\n]*)$', re.MULTILINE)


class NotCompilable(UserError):
    """The program cannot be preprocessed or parsed with these flags."""


@dataclass(frozen=True)
class Node:
    """One node of clang's tree."""

    raw: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Clang's class name, e.g. ForStmt; empty for a part that was left out (`for (;;)`)."""
        return str(self.raw.get("kind", ""))

    @property
    def children(self) -> tuple["Node", ...]:
        """The parts, in source order."""
        return tuple(Node(child) for child in self.raw.get("inner", ()))

    @property
    def type(self) -> str:
        """The C type with typedefs resolved."""
        spelled = self.raw.get("type", {})
        return str(spelled.get("desugaredQualType", spelled.get("qualType", "")))

    @property
    def name(self) -> str:
        """The declared name."""
        return str(self.raw.get("name", ""))

    @property
    def key(self) -> str:
        """What identifies a declaration."""
        return str(self.raw.get("id", ""))

    @property
    def opcode(self) -> str:
        """The operator of an expression."""
        return str(self.raw.get("opcode", ""))

    def text(self, field: str) -> str:
        """A field that clang gives as text, such as castKind or value."""
        return str(self.raw.get(field, ""))

    def typed(self, field: str) -> str:
        """The C type in a field such as computeLHSType."""
        spelled = self.raw.get(field, {})
        return str(spelled.get("desugaredQualType", spelled.get("qualType", "")))

    @property
    def declared(self) -> "Node":
        """The declaration that a reference means."""
        return Node(self.raw.get("referencedDecl", {}))

    @property
    def begin(self) -> int:
        """Byte offset of the first token; -1 where clang gives none."""
        return int(self.raw.get("range", {}).get("begin", {}).get("offset", -1))

    @property
    def end(self) -> int:
        """Byte offset behind the last token."""
        last = self.raw.get("range", {}).get("end", {})
        return int(last.get("offset", -1)) + int(last.get("tokLen", 0))

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Unit:
    """A preprocessed program: its bytes, with line markers, and its functions that have bodies."""

    text: bytes
    functions: tuple[Node, ...]
    file: str

    def line(self, offset: int) -> int:
        """The line of the user's file at a byte offset."""
        number, start = 1, 0
        for found in _MARKER.finditer(self.text, 0, offset):
            number, start = int(found[1]) - 1, found.end()
        return number + self.text.count(b"\n", start, offset)

    def home(self, offset: int) -> str:
        """The file that the text at a byte offset came from."""
        name = self.file
        for found in _MARKER.finditer(self.text, 0, offset):
            name = found[2].decode(errors="replace")
        return name


@lru_cache(maxsize=8)
def parsed(source: str, flags: tuple[str, ...], folder: Path, file: str = "program.c") -> Unit:
    """Preprocess and parse a program; quoted headers are looked for in `folder`.

    Raises:
        NotCompilable: with clang's first error. ProgramMissing: there is no clang.
    """
    clang = toolchain().clang
    with tempfile.TemporaryDirectory(prefix="atunner-nests-") as scratch:
        out = Path(scratch) / "program.i"
        argv = (clang, *flags, "-w", "-iquote", str(folder), "-E", "-x", "c", "-", "-o", str(out))
        done = run(*argv, cwd=folder, stdin=source, timeout_s=LIMIT_S)
        if done.code:
            raise NotCompilable(f"Not preprocessed: {_first_error(done.output)}")
        text = out.read_bytes().replace(b'"<stdin>"', json.dumps(file).encode())
        out.write_bytes(text)
        tree = (clang, *flags, "-w", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-x", "cpp-output", str(out))
        done = run(*tree, cwd=folder, timeout_s=LIMIT_S, max_output=MAX_TREE)
    if done.code:
        raise NotCompilable(f"Not parsed: {_first_error(done.output)}")
    root = _resolved(json.loads(done.output[done.output.index("{") :]))
    return Unit(text, tuple(_bodies(root, text, file)), file)


@lru_cache(maxsize=32)
def vector_bytes(flags: tuple[str, ...], folder: Path) -> int:
    """The size of the widest vector registers that these flags let the compiler use."""
    done = run(toolchain().clang, *flags, "-w", "-dM", "-E", "-x", "c", "-", cwd=folder, stdin="", timeout_s=LIMIT_S)
    if "__AVX512F__" in done.output:
        return 64
    return 32 if "__AVX__" in done.output else 16


def _resolved(tree: dict[str, Any]) -> Node:
    """The tree with the program's names of types written out (clang resolves only the outermost one)."""
    known: dict[str, str] = {}
    for top in tree["inner"]:
        if top["kind"] == "TypedefDecl" and re.fullmatch(r"[a-z ]+", _spelled(top["type"])):
            known[top["name"]] = known.get(_spelled(top["type"]), _spelled(top["type"]))
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, known))})\b") if known else None

    def visit(raw: Any) -> None:
        if isinstance(raw, list):
            for one in raw:
                visit(one)
        elif isinstance(raw, dict):
            if "qualType" in raw and pattern is not None:
                raw["desugaredQualType"] = pattern.sub(lambda found: known[found[1]], _spelled(raw))
            for value in raw.values():
                if isinstance(value, dict | list):
                    visit(value)

    visit([top for top in tree["inner"] if top["kind"] == "FunctionDecl" and "inner" in top])
    return Node(tree)


def _spelled(raw: Mapping[str, Any]) -> str:
    return str(raw.get("desugaredQualType", raw["qualType"]))


def _bodies(root: Node, text: bytes, file: str) -> Iterator[Node]:
    unit = Unit(text, (), file)
    for node in root.children:
        has_body = node.kind == "FunctionDecl" and any(c.kind == "CompoundStmt" for c in node.children)
        if has_body and node.begin >= 0 and not unit.home(node.begin).startswith("/"):
            yield node


def _first_error(output: str) -> str:
    lines = [line for line in output.splitlines() if "error:" in line]
    return (lines or output.splitlines() or ["clang said nothing"])[0].strip()
