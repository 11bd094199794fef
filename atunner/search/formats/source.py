"""What a kernel's source says by itself: its language, its functions, its parameters and constraints."""

import difflib
import re
from collections.abc import Collection
from pathlib import Path

from pydantic import Field, JsonValue

from atunner.core.errors import UserError
from atunner.core.space import Parameter
from atunner.core.value import Value
from atunner.search.formats.lists import only_when, plain_constraint, value_list

LANGUAGES = {".c": "c", ".cu": "cuda", ".cl": "opencl", ".hip": "hip"}
NAMES = {"c": "c", "cuda": "cuda", "hip": "hip", "opencl": "opencl"}
CTYPES = {
    **{"float": "float32", "double": "float64", "half": "float16", "__half": "float16", "__nv_bfloat16": "bfloat16"},
    **{"int": "int32", "unsigned int": "uint32", "unsigned": "uint32", "size_t": "int64", "long": "int64"},
    **{"long long": "int64", "char": "int8", "signed char": "int8", "unsigned char": "uint8", "short": "int16"},
    **{f"{u}int{b}_t": f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64)},
    **{"uint": "uint32", "uchar": "uint8", "bool": "bool", "_Bool": "bool", "ulong": "int64"},
    **{f"float{n}": "float32" for n in (2, 4, 8, 16)},
}
CONVENTIONS: tuple[tuple[str, tuple[int, ...]], ...] = (
    (r"block_size_x", (16, 32, 64, 128, 256, 512, 1024)),
    (r"block_size_[yz]", (1, 2, 4, 8, 16, 32)),
    (r"tile_size(_[xyz])?|work_per_thread(_[xyz])?", (1, 2, 3, 4, 5, 6, 7, 8)),
    (r"(loop_)?unroll(_factor)?(_\w+)?", (1, 2, 4, 8)),
    (r"(use|enable)_\w+", (0, 1)),
    (r"vector_?(size|width)?", (1, 2, 4)),
)
"""Names that tuners of GPU kernels use for tunables, and the values that are tried where none are given."""

_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma[^\n]*|\b_Pragma\s*\([^)]*\)", re.M)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_KERNEL = re.compile(r"(?P<head>[^;{}()#]*?)\b(?P<name>[A-Za-z_]\w*)\s*\((?P<args>[^(){};]*)\)\s*\{")
_TUNE = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\S+)[ \t]*(?://|/\*)[ \t]*tune[ \t]*:[ \t]*(.+?)(?:\*/)?[ \t]*$", re.M
)
_CONSTRAINT = re.compile(r"(?://|/\*)[ \t]*constraint[ \t]*:[ \t]*(.+?)(?:\*/)?[ \t]*$", re.M)
_KEYWORDS = frozenset({"if", "for", "while", "switch", "return", "sizeof", "__attribute__", "__launch_bounds__"})


class Tunables(Value):
    """What the source declares to be tuned. defaults: as the source has them."""

    parameters: tuple[Parameter, ...] = ()
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    constraints: tuple[str, ...] = ()


class Declared(Value):
    """One argument of a function in the source. pointer: a tensor; constant: only read."""

    name: str
    dtype: str
    pointer: bool
    constant: bool


def language_of(path: Path, named: str = "") -> str:
    """The language by its name, else by the file's ending.

    Raises:
        UserError: neither says it.
    """
    known = ", ".join(sorted(NAMES))
    if named:
        found = NAMES.get(named.lower())
        if found is None:
            raise UserError(f"No language {named!r} for {path.name}. Known: {known}.")
        return found
    if path.suffix not in LANGUAGES:
        raise UserError(f"{path.name} does not say its language; endings are {', '.join(LANGUAGES)}. Known: {known}.")
    return LANGUAGES[path.suffix]


def read_source(path: Path, what: str = "kernel") -> str:
    """The text of a kernel's file. Raises UserError."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"Cannot read the {what} {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"The {what} {path} is not text: {error.reason}.") from error


def words(source: str) -> frozenset[str]:
    """All identifiers outside comments."""
    return frozenset(re.findall(r"[A-Za-z_]\w*", _COMMENT.sub(" ", source)))


def functions(source: str) -> dict[str, tuple[Declared, ...]]:
    """The kernels: functions marked __global__ or __kernel where there are such, else all that are not static."""
    clean = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", " ", _COMMENT.sub(" ", source), flags=re.M)
    clean = re.sub(r"__launch_bounds__\s*\([^()]*\)|__attribute__\s*\(\(.*?\)\)|\bextern\s+\"C\"\s*\{?", " ", clean)
    found = [m for m in _KERNEL.finditer(clean) if m["name"] not in _KEYWORDS and m["head"].strip()]
    marked = [m for m in found if re.search(r"\b(__global__|__kernel|kernel)\b", m["head"])]
    chosen = marked or [m for m in found if not re.search(r"\b(static|inline)\b", m["head"])]
    return {
        m["name"]: tuple(_declared(a) for a in m["args"].split(",") if a.strip() not in ("", "void")) for m in chosen
    }


def kernel_name(source: str, file: str, named: str = "") -> str:
    """The function to tune.

    Raises:
        UserError: there is none, or several and none is named.
    """
    there = list(functions(source))
    if named:
        if named not in words(source):
            raise UserError(f"{file} has no kernel named {named!r}. Found: {', '.join(there) or 'none'}.")
        return named
    if not there:
        raise UserError(f"{file} has 0 kernels (none): {_unread(source)}.")
    if len(there) != 1:
        raise UserError(f"{file} has {len(there)} kernels ({', '.join(there) or 'none'}); say which one with its name.")
    return there[0]


def _unread(source: str) -> str:
    """Why no function was found."""
    clean = _COMMENT.sub(" ", source)
    for opening, closing in ("()", "{}", "[]"):
        if clean.count(opening) != clean.count(closing):
            return f"it does not parse: {clean.count(opening)} {opening!r} and {clean.count(closing)} {closing!r}"
    return "a function with its body is expected, and not a static one"


def tunables(source: str) -> Tunables:
    """Parameters that the source itself declares.

    `#define NAME DEFAULT // tune: 1, 2, 4` (and `when CONDITION`: elsewhere it keeps its default) between #ifndef and
    #endif; names such as block_size_x that are used and never defined; and `// constraint: EXPRESSION`.

    Raises:
        UserError: a tuned #define without its #ifndef, which no configuration could change.
    """
    parameters: list[Parameter] = []
    defaults: dict[str, JsonValue] = {}
    conditional: list[str] = []
    for name, default, values in _TUNE.findall(source):
        if not re.search(rf"^[ \t]*#[ \t]*ifndef[ \t]+{name}\b", source, re.M):
            raise UserError(
                f"{name} is tuned but always defined by the source; put #ifndef {name} and #endif round it."
            )
        text, _, condition = (part.strip() for part in values.partition(" when "))
        listed = text if text[0] in "[(" or text.startswith("range") else f"[{text}]"
        found = value_list(name, listed)
        parameters.append(Parameter(name=name, values=found))
        defaults[name] = next((v for v in found if str(v) == default and isinstance(v, int | float | str)), default)
        if condition:
            conditional.append(only_when(name, condition, defaults[name]))
    taken = {p.name for p in parameters}
    for name in sorted(words(_PRAGMA.sub(" ", source)) - _defined(source) - taken):
        if values := conventional(name):
            parameters.append(Parameter(name=name, values=values))
    constraints = (*conditional, *(plain_constraint(text) for text in _CONSTRAINT.findall(source)))
    return Tunables(parameters=tuple(parameters), defaults=defaults, constraints=constraints)


def conventional(name: str) -> tuple[int, ...]:
    """The values to try for a name that says what it is; empty for other names."""
    return next((values for pattern, values in CONVENTIONS if re.fullmatch(pattern, name, re.IGNORECASE)), ())


def check_used(parameters: Collection[str], source: str, file: str, elsewhere: str) -> None:
    """Refuse a parameter that changes nothing. elsewhere: the texts of the launch and the arguments.

    Raises:
        UserError: neither the source nor the launch reads it.
    """
    there = words(source) | words(elsewhere)
    for name in parameters:
        if name not in there:
            near = difflib.get_close_matches(name, sorted(there), n=1, cutoff=0.6)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UserError(f"The parameter {name!r} is used neither in {file} nor in its launch.{hint}")


def _defined(source: str) -> frozenset[str]:
    """Names that the source gives a meaning: macros without #ifndef, variables and arguments."""
    clean = _COMMENT.sub(" ", source)
    macros = set(re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", clean, re.M))
    guarded = set(re.findall(r"^[ \t]*#[ \t]*ifndef[ \t]+(\w+)", clean, re.M))
    typed = r"\b(?:int|float|double|unsigned|size_t|long|char|short|bool|half|auto|uint|dim3|u?int\d+_t)\b[\s*&]*(\w+)"
    return frozenset((macros - guarded) | set(re.findall(typed, clean)))


def _declared(text: str) -> Declared:
    constant = bool(re.search(r"\b(const|__constant)\b", text))
    drop = r"\b(const|restrict|__restrict__|__restrict|__global|__constant|__local|global|volatile|struct|register)\b"
    plain = re.sub(drop, " ", text)
    pointer = "*" in plain or "[" in plain
    pieces = re.sub(r"\[[^\]]*\]|[*&]", " ", plain).split()
    kind = " ".join(pieces[:-1])
    dtype = CTYPES.get(kind, "")
    return Declared(name=pieces[-1] if pieces else "", dtype=dtype, pointer=pointer, constant=constant)
