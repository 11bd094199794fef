"""CUDA source made ready for a host compiler; line numbers stay as they are."""

import re
from dataclasses import dataclass

from atunner.core.errors import NotVerified
from atunner.domains.kernels.cpu_check.shared import declaration, rewritten
from atunner.domains.kernels.cpu_check.tokens import Token, directives, line_of, tokens, without_comments

# What the runtime's headers give already.
PROVIDED = re.compile(
    r"cuda\.h|cuda_runtime(_api)?\.h|device_launch_parameters\.h|cuda_fp16\.h|cuda_bf16\.h|mma\.h|cooperative_groups(/reduce|/scan)?\.h"
    r"|cuda_pipeline(_primitives)?\.h|cuda/pipeline|vector_types\.h|vector_functions\.h|math_constants\.h|sm_\d+_intrinsics\.h|device_functions\.h"
    r"|c?(stdint|stddef|float|limits|math|string|assert|stdio|stdlib)(\.h)?|type_traits|utility|limits|algorithm|array|initializer_list"
    r"|cuda/std/(cstdint|cstddef|type_traits|limits|utility|cmath)"
)
_CANNOT = {
    "asm": "inline PTX",
    "__asm__": "inline PTX",
    "__asm": "inline PTX",
    "<<<": "a kernel launched by the source",
    "cudaTextureObject_t": "textures",
    "cudaSurfaceObject_t": "surfaces",
    "texture": "textures",
    "CUtensorMap": "TMA",
    "this_grid": "grid-wide synchronisation",
    "grid_group": "grid-wide synchronisation",
    "this_cluster": "thread block clusters",
    "__cluster_dims__": "thread block clusters",
    "wgmma": "wgmma",
    "experimental": "cuda::experimental",
    "coalesced_threads": "groups of the lanes that happen to be together",
    "__activemask": "the lanes that happen to be together",
    "labeled_partition": "labeled partitions",
    "binary_partition": "binary partitions",
    "cluster_group": "thread block clusters",
    "cudaLaunchDevice": "a kernel launched by a kernel",
}
_CANNOT_PREFIX = {
    "tex1D": "textures",
    "tex2D": "textures",
    "tex3D": "textures",
    "surf2D": "surfaces",
    "__nv_tex": "textures",
}


@dataclass(frozen=True)
class Rewritten:
    """text: for the host compiler. macros: names that the source defines. provided: the headers that it includes."""

    text: str
    macros: tuple[str, ...]
    provided: tuple[str, ...]


def rewrite(source: str, name: str) -> Rewritten:
    """Rewrite what macros cannot express: shared variables, linkage, includes.

    Raises:
        NotVerified: the source uses something that the check does not know, named with its line.
        NotBuilt: a shared variable is declared in a way that CUDA does not allow.
    """
    clean = without_comments(source)
    words = tokens(clean)
    _refuse(words, source, name)
    edits = _directives(clean, source, name) + _linkage(words) + _shared(words, source)
    text = source
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + "\n" * source.count("\n", start, end) + text[end:]
    macros = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", clean, re.MULTILINE)
    return Rewritten(text, tuple(dict.fromkeys(macros)), tuple(_includes(clean, source)))


def _refuse(words: list[Token], source: str, name: str) -> None:
    for word in words:
        reason = _CANNOT.get(word.text) or next((r for p, r in _CANNOT_PREFIX.items() if word.text.startswith(p)), None)
        if reason:
            raise NotVerified(f"cannot check: {reason} ({name}:{line_of(source, word.start)}: {word.text}).")


def _includes(clean: str, source: str) -> list[str]:
    found = []
    for line in directives(clean):
        match = re.match(r'[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]*)[>"]', source[line.start() : line.end()])
        if match:
            found.append(match.group(1))
    return found


def _directives(clean: str, source: str, name: str) -> list[tuple[int, int, str]]:
    edits = []
    for line in directives(clean):
        text = source[line.start() : line.end()]
        word = re.match(r"[ \t]*#[ \t]*(\w*)", text)
        kind = word.group(1) if word else ""
        if kind == "include":
            for header in _includes(text, text):
                if not PROVIDED.fullmatch(header):
                    raise NotVerified(f"cannot check: #include <{header}> ({name}:{line_of(source, line.start())}).")
            edits.append((line.start(), line.end(), ""))
        elif kind == "pragma":
            edits.append((line.start(), line.end(), ""))
        elif kind == "define" and re.search(r"\b__shared__\b|\basm\b|\b__asm__\b", text):
            raise NotVerified(f"cannot check: __shared__ or asm in a macro ({name}:{line_of(source, line.start())}).")
    return edits


def _linkage(words: list[Token]) -> list[tuple[int, int, str]]:
    edits = []
    for index, word in enumerate(words[:-2]):
        if word.text == "extern" and words[index + 1].text.startswith('"'):
            block = words[index + 2].text == "{"
            edits.append((word.start, words[index + 1].end, f"inline namespace atunner_c{index}" if block else ""))
    return edits


def _shared(words: list[Token], source: str) -> list[tuple[int, int, str]]:
    edits = []
    for index, word in enumerate(words):
        if word.text != "__shared__":
            continue
        first = index
        while first and words[first - 1].text not in (";", "{", "}", ":", ")"):
            first -= 1
        last = _statement_end(words, index)
        found = declaration(words[first:last], source, line_of(source, word.start))
        edits.append((words[first].start, words[last].end, rewritten(found)))
    return edits


def _statement_end(words: list[Token], index: int) -> int:
    depth = 0
    while index < len(words) - 1:
        text = words[index].text
        depth += (text in "([{") - (text in ")]}")
        if text == ";" and depth == 0:
            break
        index += 1
    return index
