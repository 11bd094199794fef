"""What a rewrite must leave as it is, read from IR before any pass: signatures, outside calls, volatile, main."""

import hashlib
import re
from collections import Counter

from atunner.core.errors import Rejected
from atunner.core.value import Value
from atunner.domains.llvm_ir.evidence.ir_text import bodies, in_loops
from atunner.domains.llvm_ir.program import Level

MEMORY = ("memcpy", "memmove", "memset", "malloc", "calloc", "free", "aligned_alloc", "posix_memalign")
MATHS = ("sqrt", "fabs", "fmin", "fmax", "floor", "ceil", "trunc", "copysign", "abs")
HARMLESS = frozenset((*MEMORY, *MATHS, *(f"{name}f" for name in MATHS)))
"""What a rewrite may call though the program did not: memory for packing, and functions that always round the same."""
INTRINSICS = re.compile(
    r"llvm\.(?!fma\.|fmuladd\.|read|write_register|\w*(?:frame|return)address|addressof|sponentry|thread\.pointer|set\.|reset\."
    r"|get\.|va_|eh\.|local|instrprof|debugtrap|ubsantrap|clear_cache|init\.|adjust\.|x86\.(?:rd|xget|sse\.(?:ld|st)mxcsr)"
    r"|aarch64\.(?:get|set|rndr)|call\.|experimental\.(?:constrained|deoptimize|guard))"
)
"""Intrinsics that compute; those that look at the clock, the stack or the machine's state are not among them."""
_GLOBAL = re.compile(r"^@(\"?[-\w.$]+\"?) = ([^\n]*?)\b(global|constant)\b", re.MULTILINE)
_DECLARED = re.compile(r"^declare\b.*?@\"?([-\w.$]+)\"?\s*\(", re.MULTILINE)
_ASSEMBLY = re.compile(r"^module asm|\basm (?:sideeffect |alignstack |inteldialect |unwind )*\"", re.MULTILINE)
_SPECIAL = re.compile(
    r"^@(llvm\.(?:global_ctors|global_dtors|used)|[\w.$]+ = (?:\w+ )*(?:alias|ifunc)\b)|section \"", re.MULTILINE
)
_LOOSE = re.compile(r"\b(?:fast|reassoc|contract|arcp|afn|nsz|nnan|ninf)\b(?= )")
_FLOATING = re.compile(r"= (?:tail |notail )?(?:fadd|fsub|fmul|fdiv|frem|fneg|fcmp|call|phi|select)\b")
_FUSED = re.compile(r"@llvm\.(?:fma|fmuladd)\.[\w.]+\(")
_NOISE = re.compile(r"(?:, )?![\w.]+(?:\([^)]*\))?| #\d+|\s*;.*$")
_VOLATILE = re.compile(
    r"\b(?:load|store|atomicrmw|cmpxchg)\b.*\bvolatile\b|\bvolatile\b.*@llvm\.mem|i1 true\).*@llvm\.mem"
)
_HEAD = re.compile(r"@\"?[-\w.$]+\"?\s*\((.*)\)")
_ATTRIBUTES = re.compile(
    r"\b(?:dso_local|local_unnamed_addr|unnamed_addr|hidden|noundef|nonnull|noalias|nocapture|readonly|writeonly"
    r"|align \d+|dereferenceable\(\d+\)|captures\(none\)|zeroext|signext|internal|define)\b ?"
)
_ARGUMENT = re.compile(r" %[-\w.$]+$")


class Shape(Value):
    """The parts of a module that a rewrite must keep.

    functions: name -> signature. declared: functions and data of the outside. writable: own data that can change.
    volatile, volatile_in_loops: accesses by function. bodies: hashes of what the functions do, without metadata.
    looped: functions with a loop.
    """

    functions: dict[str, str]
    declared: frozenset[str]
    writable: frozenset[str]
    volatile: dict[str, int]
    volatile_in_loops: dict[str, int]
    bodies: dict[str, str]
    looped: frozenset[str]
    assembly: int
    special: int
    loose: int
    fused: int


def shape_of(text: str) -> Shape:
    """Read a module's shape from its text."""
    functions, volatile, hashes, looped, loose = dict[str, str](), Counter[str](), dict[str, str](), set[str](), 0
    inside = Counter[str]()
    data = [(name.strip('"'), words.split(), kind) for name, words, kind in _GLOBAL.findall(text)]
    outside = {name for name, words, _ in data if {"external", "extern_weak"} & set(words)}
    for name, lines in bodies(text):
        functions[name] = signature(lines[0])
        volatile[name] = sum(bool(_VOLATILE.search(line)) for line in lines[1:])
        if volatile[name]:
            within = in_loops(lines)
            inside[name] = sum(bool(_VOLATILE.search(line)) for n, line in enumerate(lines) if n in within)
        plain = "\n".join(_NOISE.sub("", line).rstrip() for line in lines[1:])
        hashes[name] = hashlib.sha256(plain.encode()).hexdigest()
        loose += sum(bool(_FLOATING.search(line) and _LOOSE.search(line)) for line in lines[1:])
        if any("!llvm.loop" in line for line in lines):
            looped.add(name)
    return Shape(
        functions=functions,
        declared=frozenset(_DECLARED.findall(text)) | outside,
        writable=frozenset(name for name, _, kind in data if kind == "global" and not name.startswith("llvm."))
        - outside,
        volatile={name: count for name, count in volatile.items() if count},
        volatile_in_loops={name: count for name, count in inside.items() if count},
        bodies=hashes,
        looped=frozenset(looped),
        assembly=len(_ASSEMBLY.findall(text)),
        special=len(_SPECIAL.findall(text)),
        loose=loose,
        fused=len(_FUSED.findall(text)),
    )


def signature(head: str) -> str:
    """Result and argument types of a `define` line, without names and attributes."""
    found = _HEAD.search(head)
    inside = _ATTRIBUTES.sub("", found[1]) if found else ""
    types = (_ARGUMENT.sub("", part.strip()) for part in inside.split(", "))
    return f"{_ATTRIBUTES.sub('', head[: head.index('@')]).strip()}({', '.join(types)})"


def keep(base: Shape, candidate: Shape, level: Level) -> None:
    """Refuse what no rewrite may do.

    Raises:
        Rejected: a signature changed, a new call to the outside, assembly, a volatile access dropped, main changed
            though the work is elsewhere, or rounding that the level does not allow.
    """
    for name, expected in base.functions.items():
        got = candidate.functions.get(name)
        if got is None:
            raise Rejected(f"The function {name} is gone; every function of the program must stay.")
        if got != expected:
            raise Rejected(f"The signature of {name} was {expected} and is {got}; it must stay.")
    new = {n for n in candidate.declared - base.declared - base.functions.keys() if not INTRINSICS.match(n)}
    fused = {n for n in new if n.startswith(("llvm.fma.", "llvm.fmuladd."))}
    if new - HARMLESS - fused:
        raise Rejected(f"New calls to the outside: {', '.join(sorted(new - HARMLESS - fused))}; none may be added.")
    if candidate.assembly > base.assembly:
        raise Rejected("Inline assembly was added; write C or IR.")
    if candidate.special > base.special:
        raise Rejected("Constructors, aliases or sections were added; none may be.")
    _keep_volatile(base, candidate)
    added = sorted(candidate.writable - base.writable)
    if added:
        raise Rejected(f"New data that can change: {', '.join(added)}; use locals, or memory of the function's own.")
    _keep_rounding(base, candidate, level)
    _keep_main(base, candidate)


def _keep_volatile(base: Shape, candidate: Shape) -> None:
    for name, count in base.volatile.items():
        if candidate.volatile.get(name, 0) < count:
            raise Rejected(f"{name} had {count} volatile accesses and has {candidate.volatile.get(name, 0)}; keep all.")
    for name, count in base.volatile_in_loops.items():
        if candidate.volatile_in_loops.get(name, 0) < count:
            raise Rejected(f"{name} has {count} volatile accesses in loops; they must stay there, one for each round.")


def _keep_rounding(base: Shape, candidate: Shape, level: Level) -> None:
    if level is not Level.EXACT:
        return
    if candidate.loose > base.loose:
        raise Rejected("Fast-math flags were added to instructions; level exact allows none.")
    if candidate.fused > base.fused:
        raise Rejected("Fused multiply-adds were added; they round once where the program rounds twice.")


def _keep_main(base: Shape, candidate: Shape) -> None:
    """`main` tells checking from timing by its argument: it may only change where it does the work itself."""
    elsewhere = base.looped - {"main"}
    if elsewhere and base.bodies.get("main") != candidate.bodies.get("main"):
        raise Rejected(f"main was changed; the work is in {', '.join(sorted(elsewhere)[:4])}: change that.")
