"""NVIDIA's own occupancy calculator, compiled on the host: the truth that ours is compared with."""

import random
import shutil
from pathlib import Path

from atunner.core.occupancy import ARCHITECTURES, Block, limits, number_of
from atunner.tools.nvrtc import include_folders
from atunner.tools.process import run

SOURCE = r"""
#include <cstdio>
#include <climits>
#include "cuda_occupancy.h"

int main(int argc, char** argv) {
    FILE* cases = fopen(argv[1], "r");
    FILE* out = fopen(argv[2], "w");
    long major, minor, warps, shared, optin, reserved, threads, registers, bytes, barriers;
    while (fscanf(cases, "%ld %ld %ld %ld %ld %ld %ld %ld %ld %ld", &major, &minor, &warps, &shared, &optin, &reserved,
                  &threads, &registers, &bytes, &barriers) == 10) {
        cudaOccDeviceProp device;
        device.computeMajor = major;
        device.computeMinor = minor;
        device.maxThreadsPerBlock = 1024;
        device.maxThreadsPerMultiprocessor = warps * 32;
        device.regsPerBlock = 65536;
        device.regsPerMultiprocessor = 65536;
        device.warpSize = 32;
        device.sharedMemPerBlock = 49152;
        device.sharedMemPerMultiprocessor = shared;
        device.numSms = 1;
        device.sharedMemPerBlockOptin = optin;
        device.reservedSharedMemPerBlock = reserved;
        cudaOccFuncAttributes kernel;
        kernel.maxThreadsPerBlock = INT_MAX;
        kernel.numRegs = registers;
        kernel.sharedSizeBytes = bytes;
        kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
        kernel.maxDynamicSharedSizeBytes = optin;
        kernel.numBlockBarriers = barriers;
        cudaOccDeviceState state;
        state.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED;
        cudaOccResult result;
        int code = cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, threads, 0);
        fprintf(out, "%d\n", code == CUDA_OCC_SUCCESS ? result.activeBlocksPerMultiprocessor : -1);
    }
    fclose(out);
    return 0;
}
"""


def compiler() -> str | None:
    """A host C++ compiler, None when there is none."""
    return shutil.which("g++") or shutil.which("clang++")


def header() -> Path | None:
    """The folder that has `cuda_occupancy.h`, None without the runtime package."""
    return next((folder for folder in include_folders() if (folder / "cuda_occupancy.h").is_file()), None)


def cases(count: int, seed: int) -> list[tuple[str, Block]]:
    """Random launches over all architectures, dense where the rules have steps."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        arch = draw.choice(ARCHITECTURES)
        top = limits(arch).shared_per_block
        shared = draw.choice([0, draw.randrange(2048), draw.randrange(49152), draw.randrange(top + 1), top])
        threads = draw.choice([draw.randrange(1, 1025), 32 * draw.randrange(1, 33)])
        block = Block(
            threads=threads, registers=draw.randrange(256), shared=shared, barriers=draw.choice([0, 1, 1, 1, 2, 5, 16])
        )
        made.append((arch, block))
    return made


def expected(made: list[tuple[str, Block]], folder: Path) -> list[int]:
    """Resident blocks by NVIDIA's calculator; -1 where it reports an error."""
    (folder / "oracle.cpp").write_text(SOURCE)
    program = str(folder / "oracle")
    built = run(compiler() or "g++", "-O1", f"-I{header()}", str(folder / "oracle.cpp"), "-o", program, timeout_s=120)
    assert built.code == 0, built.output
    (folder / "cases").write_text("\n".join(_line(arch, block) for arch, block in made) + "\n")
    done = run(program, str(folder / "cases"), str(folder / "answers"), timeout_s=60)
    assert done.code == 0, done.output
    return [int(line) for line in (folder / "answers").read_text().split()]


def _line(arch: str, block: Block) -> str:
    known = limits(arch)
    major, minor = divmod(number_of(arch), 10)
    fields = (
        major,
        minor,
        known.warps,
        known.shared,
        known.shared_per_block,
        known.shared_reserved,
        block.threads,
        block.registers,
        block.shared,
        block.barriers,
    )
    return " ".join(str(field) for field in fields)
