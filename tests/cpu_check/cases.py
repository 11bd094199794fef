"""The corpus: CUDA kernels with how they are launched and what must come of it.

A file holds cases, each under a line `//// NAME | KEY VALUES | ... | EXPECTED`. Keys: launch (the kernel, by default
k), grid, block, shared. The part before the last lists the buffers: NAME in|out|inout|work [zero] TYPE COUNT. The last
is `OUTPUT = NumPy expression` over the buffers (an inout buffer's first value has a 0 after its name), or in wrong.cu a
pattern of the message. The line of a planted bug ends in `// BUG`; OR marks another line where it may be found, EARLIER
the line of the access that it races with.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atunner.core.program import Buffer, Launch, Problem, Program, Workspace
from atunner.domains.kernels.cpu_check import Instance

CORPUS = Path(__file__).parent / "corpus"
DTYPES = {
    **{"f8": "float64", "f4": "float32", "f2": "float16", "i4": "int32", "u4": "uint32", "i1": "int8"},
}


@dataclass(frozen=True)
class Case:
    """One kernel of the corpus."""

    name: str
    source: str
    program: Program
    instance: Instance
    expected: str
    inputs: dict[str, NDArray[np.generic]]

    def lines(self, mark: str) -> list[int]:
        """Numbers of the lines that carry a mark."""
        pattern = re.compile(rf"// (\w+\|)*{mark}(\|\w+)*$")
        return [n for n, line in enumerate(self.source.splitlines(), 1) if pattern.search(line)]

    def outputs(self) -> dict[str, NDArray[np.generic]]:
        """What a correct kernel gives."""
        name, _, expression = self.expected.partition(" = ")
        first = {f"{k}0": v for k, v in self.inputs.items()}
        return {name: np.asarray(eval(expression, {"np": np, "max": max, "min": min}, {**self.inputs, **first}))}


def cases(file: str) -> list[Case]:
    """All cases of one file of the corpus."""
    parts = re.split(r"^//// (.*)\n", (CORPUS / file).read_text(), flags=re.MULTILINE)[1:]
    return [_case(head, source) for head, source in zip(parts[::2], parts[1::2], strict=True)]


def _case(head: str, source: str) -> Case:
    name, *settings = [p.strip() for p in head.split(" | ")]
    if " = " in head:
        *settings, buffers, expected = _with_expression(head)
        name = settings.pop(0)
    else:
        *settings, buffers, expected = settings
    keys = dict(s.split(" ", 1) for s in settings)
    tensors, scratch, inputs = [], [], {}
    random = np.random.default_rng(7)
    for text in buffers.split(","):
        label, role, *zero, kind, count = text.split()
        if role == "work":
            scratch.append(Workspace(name=label, dtype=DTYPES[kind], elements=count))
            continue
        role = {"in": "input", "out": "output", "inout": "inout"}[role]
        tensors.append(Buffer(name=label, dtype=DTYPES[kind], shape=(int(count),), role=role))
        if role != "output":
            value = random.standard_normal(int(count)) * (0 if zero else 20 if kind[0] == "i" else 1)
            inputs[label] = value.astype(kind)
    launch = Launch(
        kernel=keys.get("launch", "k"),
        grid=tuple(keys["grid"].split()),
        block=tuple(keys["block"].split()),
        shared_bytes=keys.get("shared", "0"),
        args=tuple(text.split()[0] for text in buffers.split(",")),
    )
    program = Program(language="cuda", source="kernel.cu", launches=(launch,), workspaces=tuple(scratch))
    problem = Problem(operator=name, dims={}, buffers=tuple(tensors))
    return Case(name, source, program, Instance(problem, {}), expected, inputs)


def _with_expression(head: str) -> list[str]:
    """The parts of a head whose last part may itself hold a bar."""
    before, _, expression = head.partition(" = ")
    *parts, output = before.split(" | ")
    return [*(p.strip() for p in parts), f"{output} = {expression}"]
