"""A small OpenCL kernel for tests, as a problem and as candidates."""

from atunner.core.candidate import Candidate
from atunner.core.program import PROGRAM_FILE, Buffer, Launch, Problem, Program

SCALE = """
__kernel void scale(__global float *y, __global const float *x, int n) {
    int i = get_global_id(0);
    if (i < n) y[i] = 3 * x[i];
}
"""


def problem(n: int = 4096) -> Problem:
    shape = (n,)
    buffers = (Buffer(name="y", shape=shape, role="output"), Buffer(name="x", shape=shape, role="input"))
    return Problem(operator="scale", dims={"n": n}, buffers=buffers)


def candidate(source: str = SCALE, block: int = 64, flags: tuple[str, ...] = ()) -> Candidate:
    launch = Launch(kernel="scale", grid=("cdiv(n, block)",), block=("block",), args=("y", "x", "int32:n"))
    made = Program(language="opencl", source="scale.cl", launches=(launch,), flags=flags)
    files = {"scale.cl": source, PROGRAM_FILE: made.model_dump_json()}
    return Candidate(files=files, params={"block": block}, family="scale", origin="search")
