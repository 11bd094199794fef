"""Runs CUDA C++ kernels on the CPU, one CUDA thread at a time, and finds what a GPU would not forgive."""

from atunner.domains.kernels.cpu_check.building import Checked, Instance, build
from atunner.domains.kernels.cpu_check.running import Order, Runner, run
from atunner.domains.kernels.cpu_check.toolchain import Compiler, Mode, compilers

__all__ = ["Checked", "Compiler", "Instance", "Mode", "Order", "Runner", "build", "compilers", "run"]
