"""What is on this machine: each program and library that ATunner can use, asked in its own way."""

import importlib.util
import shutil
from importlib.metadata import PackageNotFoundError, version

from atunner.core.errors import ToolError
from atunner.core.value import Value
from atunner.tools.hardware import gpus
from atunner.tools.process import ASKED_S, run


class Item(Value):
    """One thing: whether it is here, which one, what it enables, and how to get it."""

    name: str
    present: bool
    detail: str
    enables: str
    get: str


def examine(model: str = "none") -> list[Item]:
    """Everything, in the order of use. model: what is configured; it is named, not called."""
    return [
        *(_program(*row) for row in PROGRAMS),
        _nvrtc(),
        *(_package(*row) for row in PACKAGES),
        _gpus(),
        _perf(),
        _opencl(),
        _model(model),
    ]


PROGRAMS = (
    ("gcc", "C kernels on this machine; the CPU check of CUDA kernels", "apt-get install gcc g++"),
    ("clang", "a second C compiler; stronger sanitizers for the CPU check", "apt-get install clang"),
    ("clang-14", "the LLVM IR domain", "apt-get install clang-14"),
    ("clang-19", "the LLVM IR domain; the fastest CPU check", "apt-get install clang-19"),
    ("nvcc", "compiling CUDA by --compiler nvcc", "install the CUDA toolkit; not needed with the cuda extra"),
    ("compute-sanitizer", "memory and race checks of the winner on a GPU", "install the CUDA toolkit"),
    ("ncu", "Nsight Compute counters for the performance agent", "install NVIDIA Nsight Compute"),
    ("nsys", "Nsight Systems timelines", "install NVIDIA Nsight Systems"),
    ("hipcc", "compiling HIP kernels", "apt-get install hipcc"),
    ("Tensile", "tuning Tensile configurations", "install ROCm's Tensile"),
    ("bwrap", "a stronger sandbox (namespaces)", "apt-get install bubblewrap"),
)
PACKAGES = (
    (
        "cuobjdump",
        "nvidia.cuda_cuobjdump",
        "nvidia-cuda-cuobjdump",
        "machine code of CUDA kernels",
        "pip install 'atunner[cuda]'",
    ),
    (
        "nvdisasm",
        "nvidia.cuda_nvdisasm",
        "nvidia-cuda-nvdisasm",
        "instruction mix of CUDA kernels",
        "pip install 'atunner[cuda]'",
    ),
    ("PyTorch", "torch", "torch", "a second baseline", "pip install 'atunner[torch]' in an environment of its own"),
    ("xllamacpp", "xllamacpp", "xllamacpp", "a local model in this process", "pip install 'atunner[local-llm]'"),
)


def _first_line(*argv: str) -> str:
    try:
        lines = run(*argv, timeout_s=ASKED_S).output.strip().splitlines()
    except ToolError as error:
        return str(error)
    return next((line.strip() for line in lines if line.strip()), "")


def _program(name: str, enables: str, get: str) -> Item:
    path = shutil.which(name)
    detail = _first_line(path, "--version")[:60] if path else ""
    return Item(name=name, present=path is not None, detail=detail, enables=enables, get=get)


def _package(name: str, module: str, package: str, enables: str, get: str) -> Item:
    try:
        found = version(package)
    except PackageNotFoundError:
        found = ""
    return Item(name=name, present=bool(found), detail=found, enables=enables, get=get)


def _nvrtc() -> Item:
    enables, get = "compiling CUDA with no GPU and no toolkit", "pip install 'atunner[cuda]'"
    if importlib.util.find_spec("cuda") is None:
        return Item(name="NVRTC", present=False, detail="", enables=enables, get=get)
    from atunner.tools.nvrtc import architectures

    try:
        known = architectures()
    except ToolError as error:
        return Item(name="NVRTC", present=False, detail=str(error), enables=enables, get=get)
    detail = f"{known[0]} to {known[-1]}"
    return Item(name="NVRTC", present=True, detail=detail, enables=enables, get=get)


def _gpus() -> Item:
    found = gpus()
    detail = ", ".join(gpu.name for gpu in found)
    return Item(
        name="NVIDIA GPU",
        present=bool(found),
        detail=detail,
        enables="measuring CUDA kernels here",
        get="none found by its driver; export a bundle and measure it on a GPU machine",
    )


def _perf() -> Item:
    """Perf may be here and still count nothing: virtual machines often have no counters."""
    enables = "hardware counters in the performance agent's evidence"
    if shutil.which("perf") is None:
        return Item(name="perf", present=False, detail="", enables=enables, get="apt-get install linux-perf")
    text = _output("perf", "stat", "-x,", "-e", "instructions", "true")
    counts = any(part.split(",")[0].isdigit() for part in text.splitlines())
    detail = "counts" if counts else "is here but counts nothing"
    get = "needs hardware counters and kernel.perf_event_paranoid <= 2"
    return Item(name="perf", present=counts, detail=detail, enables=enables, get=get)


def _output(*argv: str) -> str:
    try:
        return run(*argv, timeout_s=ASKED_S).output
    except ToolError as error:
        return str(error)


def _opencl() -> Item:
    enables, get = "OpenCL kernels, also on the CPU", "pip install 'atunner[opencl]'"
    if importlib.util.find_spec("pyopencl") is None:
        return Item(name="OpenCL", present=False, detail="", enables=enables, get=get)
    import pyopencl

    try:
        found = [device.name for platform in pyopencl.get_platforms() for device in platform.get_devices()]
    except pyopencl.Error as error:
        return Item(name="OpenCL", present=False, detail=str(error), enables=enables, get=get)
    return Item(name="OpenCL", present=bool(found), detail=", ".join(found), enables=enables, get=get)


def _model(model: str) -> Item:
    return Item(
        name="model",
        present=model != "none",
        detail=model,
        enables="a language model's judgement beside the rules",
        get="set ATUNNER_MODEL or pass --model openai:NAME, ollama:NAME or URL#NAME",
    )
